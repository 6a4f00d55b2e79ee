use djob::job;

#[job(timeout = "0s")]
async fn send() {}

fn main() {}
