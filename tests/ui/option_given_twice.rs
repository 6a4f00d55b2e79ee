use djob::job;

#[job(queue = "mail", retries = 5, queue = "bulk")]
async fn send() {}

fn main() {}
