use djob::job;

#[job(retires = 5)]
async fn send(user_id: i64) {
    let _ = user_id;
}

fn main() {
    // The job exists all the same.
    let _ = send.perform_later(1);
}
