use djob::{JobContext, job};

struct Mailer;

#[job]
async fn send(
    #[ctx]
    #[state]
    ctx: &JobContext,
    #[state(shared)] mailer: &Mailer,
) {
    let _ = (ctx, mailer);
}

fn main() {}
