use djob::job;

#[job]
async fn send(user_id: i64, #[cfg(unix)] path: String) {
    let _ = user_id;
}

fn main() {}
