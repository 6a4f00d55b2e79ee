use djob::job;

#[job(aliases = "post")]
async fn send() {}

#[job(aliases = ["Post", 5])]
async fn deliver() {}

fn main() {}
