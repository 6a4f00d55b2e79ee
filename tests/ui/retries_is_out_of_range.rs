use djob::job;

#[job(retries = 5000)]
async fn many() {}

#[job(retries = -1)]
async fn negative() {}

fn main() {}
