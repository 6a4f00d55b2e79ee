//! A function that is not async is a blocking job.

use djob::{JobContext, job};

pub struct Disk;

/// Not async: it runs on the blocking pool.
#[job]
pub fn resize(ctx: &JobContext, #[state] disk: &Disk, paths: &[String]) -> Result<usize, std::io::Error> {
    let _ = (ctx, disk);
    Ok(paths.len())
}

#[job]
fn sync_without_anything() {}

/// What is not `Send` may live inside.
#[job]
fn local(n: u32) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let counted = std::rc::Rc::new(n);
    let _ = counted;
    Ok(())
}

fn direct(ctx: &JobContext) -> Result<usize, std::io::Error> {
    resize.call(ctx, &Disk, &["a".to_owned()])
}

async fn as_a_worker(ctx: &JobContext) -> Result<Result<usize, std::io::Error>, djob::JobError> {
    resize.perform_now(ctx, &["a".to_owned()]).await
}

fn main() {
    assert!(resize.def().blocking);
    let _ = (direct, as_a_worker, sync_without_anything.perform_later(), local.perform_later(1));
}
