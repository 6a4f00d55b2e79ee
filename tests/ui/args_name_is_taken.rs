use djob::job;

struct SendJob;

#[job]
async fn send() {}

fn main() {}
