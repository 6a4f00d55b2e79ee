use djob::job;

#[job(unique = "one")]
async fn send() {}

fn main() {}
