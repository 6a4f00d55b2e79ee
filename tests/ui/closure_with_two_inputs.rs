use djob::job;

#[job(unique = |job, user_id| format!("{user_id}"))]
async fn send(user_id: i64) {
    let _ = user_id;
}

#[job(unique = || "one".to_owned())]
async fn sweep() {}

fn main() {}
