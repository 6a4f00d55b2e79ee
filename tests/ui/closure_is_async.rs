use djob::job;

#[job(queue = async |job| "mail")]
async fn send() {}

fn main() {}
