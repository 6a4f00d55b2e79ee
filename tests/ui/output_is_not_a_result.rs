use djob::job;

#[job]
async fn send(user_id: i64) -> Option<i64> {
    Some(user_id)
}

fn main() {}
