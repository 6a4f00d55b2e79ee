//! Work that a `drop` waits for.

use std::future::Future;

use djob::BoxError;

/// Runs a future on a thread and a runtime of its own: a `drop` can wait for no other.
pub(super) fn apart(
    work: impl Future<Output = Result<(), BoxError>> + Send + 'static,
) -> Result<(), BoxError> {
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work)
    });
    thread.join().unwrap_or_else(|_| Err("the thread panicked".into()))
}
