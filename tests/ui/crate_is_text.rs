use djob::job;

#[job(crate = "djob")]
async fn send() {}

fn main() {}
