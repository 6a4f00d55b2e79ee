use djob::job;

struct Mailer;

#[job]
async fn send(#[ctx] mailer: &Mailer) {
    let _ = mailer;
}

fn main() {}
