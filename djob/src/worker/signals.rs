//! The signals that a worker process obeys: SIGTERM and SIGINT drain it, a second one ends it at once, and SIGTSTP quiets it:
//! it claims no more and waits for one of the others.

use tokio_util::sync::CancellationToken;

/// Cancels `draining` at the first signal and `abort` at the second; `quiet` at SIGTSTP.
#[cfg(unix)]
pub(crate) async fn obey(
    quiet: CancellationToken,
    draining: CancellationToken,
    abort: CancellationToken,
) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    /// SIGTSTP: the same number on every Unix that Rust runs on but MIPS.
    const SIGTSTP: i32 = if cfg!(target_os = "linux") { 20 } else { 18 };
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut stop = signal(SignalKind::from_raw(SIGTSTP))?;
    let mut drains = 0;
    loop {
        tokio::select! {
            _ = terminate.recv() => drains += 1,
            _ = interrupt.recv() => drains += 1,
            _ = stop.recv() => {
                tracing::info!("quiet: claiming no more; SIGTERM ends the worker");
                quiet.cancel();
                continue;
            }
        }
        draining.cancel();
        if drains > 1 {
            abort.cancel();
        }
    }
}

/// Cancels `draining` at the first Ctrl-C and `abort` at the second.
#[cfg(not(unix))]
pub(crate) async fn obey(
    _quiet: CancellationToken,
    draining: CancellationToken,
    abort: CancellationToken,
) -> std::io::Result<()> {
    tokio::signal::ctrl_c().await?;
    draining.cancel();
    tokio::signal::ctrl_c().await?;
    abort.cancel();
    std::future::pending().await
}

/// Waits for the first sign to stop: SIGTERM, or Ctrl-C. For [`Worker::run_until`](crate::Worker::run_until) beside a server.
///
/// ```no_run
/// # async fn run(client: djob::Client) -> Result<(), djob::WorkerError> {
/// djob::Worker::new(&client).run_until(djob::shutdown_signal()).await
/// # }
/// ```
pub async fn shutdown_signal() {
    let (draining, abort) = (CancellationToken::new(), CancellationToken::new());
    tokio::select! {
        failed = obey(CancellationToken::new(), draining.clone(), abort) => {
            // Without signals there is no sign to wait for.
            tracing::error!(error = ?failed.err(), "cannot hear signals");
            std::future::pending::<()>().await;
        }
        () = draining.cancelled() => {}
    }
}
