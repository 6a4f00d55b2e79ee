use djob::job;

#[job(cron = "0 3 * * *")]
async fn sweep() {}

fn main() {}
