use djob::job;

#[job(version = 3)]
async fn send(_to: String) {}

fn main() {}
