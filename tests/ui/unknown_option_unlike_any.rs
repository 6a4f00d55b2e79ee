use djob::job;

#[job(concurrency_key = "user")]
async fn send() {}

fn main() {}
