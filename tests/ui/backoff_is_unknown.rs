use djob::job;

#[job(backoff = "exponental 2s")]
async fn send() {}

fn main() {}
