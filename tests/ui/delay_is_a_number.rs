use djob::job;

#[job(delay = 5)]
async fn send() {}

fn main() {}
