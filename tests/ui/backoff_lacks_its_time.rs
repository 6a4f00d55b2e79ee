use djob::job;

#[job(backoff = "linear")]
async fn linear() {}

#[job(backoff = "polynomial 2s")]
async fn polynomial() {}

#[job(backoff = "exponential 0s")]
async fn exponential() {}

fn main() {}
