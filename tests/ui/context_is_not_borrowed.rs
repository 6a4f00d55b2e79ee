use djob::{JobContext, job};

#[job]
async fn owned(ctx: JobContext) {
    let _ = ctx;
}

#[job]
async fn changed(ctx: &mut JobContext) {
    let _ = ctx;
}

fn main() {}
