//! The ambient client: what `perform_later` uses when no client is named. A scope of the current run of code goes before
//! the program's.

use std::future::Future;
use std::sync::RwLock;

use super::Client;

static INSTALLED: RwLock<Option<Client>> = RwLock::new(None);

tokio::task_local! {
    static SCOPED: Client;
}

/// The client of this scope, else of this program.
pub(crate) fn current() -> Option<Client> {
    SCOPED.try_with(Clone::clone).ok().or_else(|| INSTALLED.read().ok()?.clone())
}

pub(super) fn install(client: Client) {
    if let Ok(mut installed) = INSTALLED.write() {
        *installed = Some(client);
    }
}

pub(crate) async fn scope<F: Future>(client: Client, future: F) -> F::Output {
    SCOPED.scope(client, future).await
}
