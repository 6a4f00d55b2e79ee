use djob::job;

#[job(retries = "5")]
async fn send() {}

fn main() {}
