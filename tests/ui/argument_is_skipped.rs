use djob::job;

#[job]
async fn send(user_id: i64, #[serde(skip)] note: String) {
    let _ = (user_id, note);
}

fn main() {}
