use djob::job;

#[job("mail")]
async fn send() {}

fn main() {}
