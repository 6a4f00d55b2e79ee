use djob::{JobContext, job};

#[job(transactional)]
fn send(ctx: &JobContext) {
    let _ = ctx;
}

fn main() {}
