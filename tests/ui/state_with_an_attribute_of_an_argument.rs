use djob::job;

struct Mailer;

#[job]
async fn send(
    #[state]
    #[validate(email)]
    mailer: &Mailer,
) {
    let _ = mailer;
}

fn main() {}
