use djob::job;

#[job]
async fn send(user_id: i64) {
    let _ = user_id;
}

fn main() {
    let _ = send(7);
}
