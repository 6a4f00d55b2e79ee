use djob::job;

#[job(queue = |job| job.user_id)]
async fn send(user_id: i64) {
    let _ = user_id;
}

fn main() {}
