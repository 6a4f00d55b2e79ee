use djob::job;

#[job(args = "Welcome")]
async fn send() {}

fn main() {}
