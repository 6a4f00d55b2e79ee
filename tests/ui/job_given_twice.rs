use djob::job;

#[job(queue = "mail")]
#[job(retries = 5)]
async fn send() {}

fn main() {}
