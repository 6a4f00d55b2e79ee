use djob::job;

#[job(queue = "mail" retries = 5)]
async fn send() {}

fn main() {}
