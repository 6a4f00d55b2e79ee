use djob::job;

#[job(timeout = "30")]
async fn send() {}

fn main() {}
