use djob::job;

#[job(priority = 40_000)]
async fn send() {}

fn main() {}
