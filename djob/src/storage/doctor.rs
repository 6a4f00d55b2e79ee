//! The doctor: what in a database, its settings and its rows weakens djob's promise, and what to do about it.
//!
//! `queries/doctor_*.sql` and a few lines of Rust gather [`facts`]. A table for each database says which checks there are,
//! what each needs to know and how it judges; judging is pure. What could not be looked at is a finding, too.

mod facts;
mod finding;
mod gather;
#[cfg(feature = "mysql")]
pub(super) mod mysql;
#[cfg(feature = "postgres")]
pub(super) mod postgres;
mod shape;
#[cfg(feature = "sqlite")]
pub(super) mod sqlite;
mod tables;
mod words;
mod work;

pub(crate) use facts::{Fact, Facts};
pub use finding::{Finding, Verdict};
pub(super) use gather::{ask, sources};
pub(crate) use tables::unseen;

use super::statement::Statement;
use finding::Judged;

/// One thing to look at.
pub(super) struct Check {
    /// Its name, which stays as it is.
    pub(super) name: &'static str,
    /// Without the answers to these nothing can be said.
    pub(super) needs: &'static [Statement],
    /// What it makes of them; nothing where it does not apply.
    pub(super) judge: fn(&Facts) -> Option<Judged>,
}

/// What each check finds, in the order of the table.
pub(super) fn judge(checks: &[&[Check]], facts: &Facts) -> Vec<Finding> {
    let finding = |check: &Check| {
        let unknown = check.needs.iter().find_map(|source| facts.unanswered(*source));
        let judged = unknown.or_else(|| (check.judge)(facts))?;
        Some(judged.named(check.name))
    };
    checks.iter().copied().flatten().filter_map(finding).collect()
}

#[cfg(test)]
mod tests;
