//! Inside its own body the name of a job means the job, not the function.

use djob::job;

#[job(queue = "nightly")]
async fn countdown(n: u32) {
    if n > 0 {
        let _ = countdown.perform_later(n - 1).await;
        let _ = CountdownJob { n }.perform_later();
    }
}

fn main() {
    let _ = countdown.perform_later(3);
}
