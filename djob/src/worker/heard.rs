//! What a worker has heard and has yet to act on. Maintenance and claimers wait for it, so that an idle worker asks the
//! database for almost nothing.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::Notify;

use crate::storage::News;

/// What has been heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// A worker is silent: its jobs may want rescue.
    pub(crate) silence: Notify,
    /// Jobs of an unknown kind are parked: this worker may know it.
    pub(crate) parked: Notify,
    /// Somebody tells when there is something to do.
    listening: AtomicBool,
    /// The last heartbeat saw claims of this worker's own that are older than a lease.
    old_claims: AtomicBool,
}

impl Heard {
    /// A heartbeat has brought this.
    pub(crate) fn news(&self, news: News) {
        if news.silence {
            self.silence.notify_one();
        }
        if news.parked {
            self.parked.notify_one();
        }
        self.old_claims.store(news.old_claims, Relaxed);
    }

    pub(crate) fn listens(&self, listening: bool) {
        self.listening.store(listening, Relaxed);
    }

    pub(crate) fn is_listening(&self) -> bool {
        self.listening.load(Relaxed)
    }

    /// Whether this worker has held claims for longer than a lease, as the last heartbeat saw it.
    pub(crate) fn holds_old_claims(&self) -> bool {
        self.old_claims.load(Relaxed)
    }
}
