use djob::job;

#[job(keep = "600w")]
async fn send() {}

fn main() {}
