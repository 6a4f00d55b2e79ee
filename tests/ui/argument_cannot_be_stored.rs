use std::time::Instant;

use djob::job;

#[job]
async fn send(user_id: i64, since: Instant) {
    let _ = (user_id, since);
}

fn main() {}
