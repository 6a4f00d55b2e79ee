use djob::job;

fn wait(attempt: u64) -> u64 {
    attempt
}

#[job(backoff = wait)]
async fn send() {}

fn main() {}
