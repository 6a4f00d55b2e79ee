use djob::job;

#[job(queue = |job| if job.rows > 9 { "bulk" } else { "default" })]
async fn send(user_id: i64) {
    let _ = user_id;
}

fn main() {}
