use djob::job;

#[job(queue, timeout =, retries = 5)]
async fn send() {}

fn main() {}
