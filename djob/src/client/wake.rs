//! Wake-ups: hints that there may be something to do. Nothing depends on them but speed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::storage::Storage;

/// Other processes are told at most this often.
const TELL_EVERY: Duration = Duration::from_millis(10);
/// After a job was stored in a caller's transaction, whose commit nobody reports: when to look, for each such job.
const GUESSES: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(20),
    Duration::from_millis(75),
    Duration::from_millis(400),
];

/// When to look after that, for the last such job.
const LATE_GUESSES: [Duration; 3] =
    [Duration::from_millis(1500), Duration::from_secs(5), Duration::from_secs(15)];

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
    /// How many jobs were stored in callers' transactions, and whether somebody guesses late for the last of them.
    unseen: AtomicU64,
    guessing: AtomicBool,
}

/// A flag that somebody has raised for as long as a task runs. It must not stay up when the task ends half-way, with its runtime.
struct Raised {
    others: Arc<Others>,
    flag: fn(&Others) -> &AtomicBool,
    up: bool,
}

impl Raised {
    fn new(others: &Arc<Others>, flag: fn(&Others) -> &AtomicBool) -> Self {
        Raised { others: others.clone(), flag, up: true }
    }

    fn lower(&mut self) {
        self.up = false;
        (self.flag)(&self.others).store(false, Ordering::Release);
    }

    /// Raises it again, unless somebody else has.
    fn raise(&mut self) -> bool {
        self.up = !(self.flag)(&self.others).swap(true, Ordering::AcqRel);
        self.up
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        if self.up {
            self.lower();
        }
    }
}

impl Wake {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Self {
        let others = Others {
            storage,
            news: AtomicBool::new(false),
            telling: AtomicBool::new(false),
            unseen: AtomicU64::new(0),
            guessing: AtomicBool::new(false),
        };
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
        self.others.unseen.fetch_add(1, Ordering::AcqRel);
        if !self.others.guessing.swap(true, Ordering::AcqRel) {
            tokio::spawn(guess_late(self.clone()));
        }
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

/// A transaction may stay open for long: looks less and less often, until there were no more of them for a while.
async fn guess_late(wake: Wake) {
    let unseen = || wake.others.unseen.load(Ordering::Acquire);
    let mut guessing = Raised::new(&wake.others, |others| &others.guessing);
    loop {
        let last = unseen();
        for guess in LATE_GUESSES {
            tokio::time::sleep(guess).await;
            wake.now();
            if unseen() != last {
                break;
            }
        }
        if unseen() == last {
            guessing.lower();
            // A job that came between the last look and now would otherwise be guessed for by nobody.
            if unseen() == last || !guessing.raise() {
                return;
            }
        }
    }
}

async fn tell(others: Arc<Others>) {
    let mut telling = Raised::new(&others, |others| &others.telling);
    loop {
        while others.news.swap(false, Ordering::AcqRel) {
            // A wake-up that gets lost is made up for by polling.
            if let Err(error) = others.storage.notify().await {
                tracing::debug!(%error, "could not wake other processes");
            }
            tokio::time::sleep(TELL_EVERY).await;
        }
        telling.lower();
        // News that came between the last look and now would otherwise wait for the next.
        if !others.news.load(Ordering::Acquire) || !telling.raise() {
            return;
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_ends_takes_no_later_wake_up_with_it() {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let first = runtime();
        let wake = first.block_on(async {
            let client = crate::connect("sqlite::memory:").await.unwrap();
            let wake = Wake::new(client.storage().clone());
            wake.now();
            wake.later();
            tokio::task::yield_now().await;
            wake
        });
        let up = |flag: &AtomicBool| flag.load(Ordering::SeqCst);
        assert!(up(&wake.others.telling) && up(&wake.others.guessing), "both are at it");
        drop(first);
        assert!(!up(&wake.others.telling) && !up(&wake.others.guessing), "whoever comes next begins anew");
    }
}
