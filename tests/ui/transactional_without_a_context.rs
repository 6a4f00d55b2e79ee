use djob::job;

#[job(transactional)]
async fn send() {}

fn main() {}
