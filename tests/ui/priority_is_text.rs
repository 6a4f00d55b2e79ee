use djob::job;

#[job(priority = "10")]
async fn quoted() {}

#[job(priority = "high")]
async fn worded() {}

fn main() {}
