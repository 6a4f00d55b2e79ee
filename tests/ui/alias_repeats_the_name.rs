use djob::job;

#[job(aliases = ["send", "post", "post"])]
async fn send() {}

fn main() {}
