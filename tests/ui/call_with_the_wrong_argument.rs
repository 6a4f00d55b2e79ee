use djob::job;

#[job]
async fn send(user_id: i64, email: &str) {
    let _ = (user_id, email);
}

fn main() {
    let _ = send.perform_later("ada@example.org", 7);
}
