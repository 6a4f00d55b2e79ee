use djob::job;

#[job(keep = "always")]
async fn send() {}

fn main() {}
