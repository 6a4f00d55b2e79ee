use djob::job;

#[job(queue = 5)]
async fn number() {}

#[job(queue = format!("mail"))]
async fn computed_without_the_job() {}

fn main() {}
