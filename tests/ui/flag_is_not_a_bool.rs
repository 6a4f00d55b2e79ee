use djob::job;

#[job(strict = "yes", transactional = 1)]
async fn send() {}

fn main() {}
