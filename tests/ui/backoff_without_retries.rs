use djob::job;

#[job(retries = 0, backoff = "fixed 30s")]
async fn send() {}

fn main() {}
