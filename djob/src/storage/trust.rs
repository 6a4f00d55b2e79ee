//! Whether the connections that were made so far lead to where the database is now.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::StorageError;

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

    /// A connection of that time leads to a server that takes no writes: what was made by then is of no use any more. One that
    /// says so late, when trust was lost already, takes nothing away from those that were made since.
    pub(crate) fn lose(&self, made: Made) {
        let _ = self.0.compare_exchange(made.0, made.0 + 1, Relaxed, Relaxed);
    }

    /// The same if an error says so.
    pub(crate) fn heed<T>(&self, made: Made, answer: Result<T, StorageError>) -> Result<T, StorageError> {
        answer.inspect_err(|error| {
            if error.is_read_only() {
                self.lose(made);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::error::Problem;

    fn refused() -> Result<(), StorageError> {
        Err(StorageError::new(Problem::ReadOnly("a replica".into())))
    }

    #[test]
    fn trust_is_lost_by_a_refused_write_and_by_no_other_error() {
        let trust = Trust::default();
        let made = trust.made();
        let _ = trust.heed::<()>(made, Err(StorageError::unreachable("away")));
        assert!(trust.holds(made));
        let _ = trust.heed(made, refused());
        assert!(!trust.holds(made));
    }

    #[test]
    fn an_error_that_comes_late_takes_nothing_from_those_that_were_made_since() {
        let trust = Trust::default();
        let old = trust.made();
        let _ = trust.heed(old, refused());
        let new = trust.made();
        let _ = trust.heed(old, refused());
        assert!(trust.holds(new));
    }
}
