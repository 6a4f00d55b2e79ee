use djob::job;

#[job(args = send)]
async fn send() {}

fn main() {}
