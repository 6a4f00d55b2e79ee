use djob::job;

#[job(timeout = "5min", keep = "1.5h", delay = "2 d")]
async fn send() {}

fn main() {}
