use djob::job;

#[job(name = mail.welcome)]
async fn send() {}

fn main() {}
