use djob::job;

#[job(priority = |job| job.user_id)]
async fn send(user_id: i64) {
    let _ = user_id;
}

fn main() {}
