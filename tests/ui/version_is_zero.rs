use djob::job;

#[job(version = 0)]
async fn send(_to: String) {}

fn main() {}
