use djob::job;

struct Mailer;

#[job]
async fn owned(#[state] mailer: Mailer) {
    let _ = mailer;
}

#[job]
async fn changed(#[state] mailer: &mut Mailer) {
    let _ = mailer;
}

fn main() {}
