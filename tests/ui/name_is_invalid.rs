use djob::job;

#[job(name = "Mail/Welcome")]
async fn send() {}

fn main() {}
