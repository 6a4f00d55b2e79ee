//! Wake-ups: hints that there may be something to do. Nothing depends on them but speed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::storage::Storage;

/// Other processes are told at most this often.
const TELL_EVERY: Duration = Duration::from_millis(10);
/// After a job was stored in a caller's transaction, whose commit nobody reports: when to look.
const GUESSES: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(20),
    Duration::from_millis(75),
    Duration::from_millis(400),
];

/// The bell that enqueuers ring and claimers wait for.
#[derive(Clone)]
pub(crate) struct Wake {
    bell: watch::Sender<u64>,
    others: Arc<Others>,
}

struct Others {
    storage: Arc<dyn Storage>,
    /// There is something to tell.
    news: AtomicBool,
    /// Somebody is telling.
    telling: AtomicBool,
}

impl Wake {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Self {
        let others = Others { storage, news: AtomicBool::new(false), telling: AtomicBool::new(false) };
        Wake { bell: watch::Sender::new(0), others: Arc::new(others) }
    }

    /// Something was stored: wakes the workers of this process at once, and then those of others.
    pub(crate) fn now(&self) {
        self.ring();
        self.others.news.store(true, Ordering::Release);
        if !self.others.telling.swap(true, Ordering::AcqRel) {
            tokio::spawn(tell(self.others.clone()));
        }
    }

    /// Something was stored: wakes everybody, and returns when they have been told. For a process that may end soon.
    pub(crate) async fn told(&self) {
        self.ring();
        if let Err(error) = self.others.storage.notify().await {
            tracing::debug!(%error, "could not wake other processes");
        }
    }

    /// Something was stored that will show itself when a transaction commits.
    pub(crate) fn later(&self) {
        let wake = self.clone();
        tokio::spawn(async move {
            for guess in GUESSES {
                tokio::time::sleep(guess).await;
                wake.now();
            }
        });
    }

    /// Wakes the workers of this process.
    pub(crate) fn ring(&self) {
        self.bell.send_modify(|rung| *rung += 1);
    }

    /// A place to hear the bell from.
    pub(crate) fn hear(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }
}

async fn tell(others: Arc<Others>) {
    loop {
        while others.news.swap(false, Ordering::AcqRel) {
            // A wake-up that gets lost is made up for by polling.
            if let Err(error) = others.storage.notify().await {
                tracing::debug!(%error, "could not wake other processes");
            }
            tokio::time::sleep(TELL_EVERY).await;
        }
        others.telling.store(false, Ordering::Release);
        // News that came between the last look and now would otherwise wait for the next.
        if !others.news.load(Ordering::Acquire) || others.telling.swap(true, Ordering::AcqRel) {
            return;
        }
    }
}
