use djob::job;

#[job(timeout = "30s1m")]
async fn send() {}

fn main() {}
