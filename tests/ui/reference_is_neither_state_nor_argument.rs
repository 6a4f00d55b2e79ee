use djob::job;

struct Mailer;

#[job]
async fn send(mailer: &Mailer, user_id: i64) {
    let _ = (mailer, user_id);
}

fn main() {}
