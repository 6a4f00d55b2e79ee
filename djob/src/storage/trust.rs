//! Whether the connections that were made so far lead to where the database is now.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Shared by all connections to one database. After a failover the old server may well live, and answer; whoever learns that it
/// takes no more writes tells all others, so that none of them has to ask.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust(Arc<AtomicU64>);

/// Trust as it was when a connection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Made(u64);

impl Trust {
    /// What a connection that is made now keeps.
    pub(crate) fn made(&self) -> Made {
        Made(self.0.load(Relaxed))
    }

    /// Whether nobody has lost trust since.
    pub(crate) fn holds(&self, made: Made) -> bool {
        self.made() == made
    }

    /// What was made so far is of no use any more.
    pub(crate) fn lose(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// The same if an error says so.
    pub(crate) fn heed<T>(&self, answer: Result<T, super::StorageError>) -> Result<T, super::StorageError> {
        answer.inspect_err(|error| {
            if error.is_read_only() {
                self.lose();
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::StorageError;
    use crate::storage::error::Problem;

    #[test]
    fn trust_is_lost_by_a_refused_write_and_by_no_other_error() {
        let trust = Trust::default();
        let made = trust.made();
        let _ = trust.heed::<()>(Err(StorageError::unreachable("away")));
        assert!(trust.holds(made));
        let _ = trust.heed::<()>(Err(StorageError::new(Problem::ReadOnly("a replica".into()))));
        assert!(!trust.holds(made));
        assert!(trust.holds(trust.made()), "what is made afterwards is trusted");
    }
}
