#![deny(unused_must_use)]

use djob::job;

#[job]
async fn send(user_id: i64) {
    let _ = user_id;
}

fn main() {
    send.perform_later(7);
}
