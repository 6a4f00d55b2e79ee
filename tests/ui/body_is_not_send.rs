use std::rc::Rc;

use djob::job;

#[job]
async fn send(user_id: i64) {
    let counted = Rc::new(user_id);
    std::future::ready(()).await;
    let _ = counted;
}

fn main() {}
