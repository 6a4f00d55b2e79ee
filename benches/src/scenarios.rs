//! What is measured, one file for each kind.

pub(crate) mod enqueue;
pub(crate) mod flat;
pub(crate) mod idle;
pub(crate) mod latency;
pub(crate) mod limit;
pub(crate) mod slow;
pub(crate) mod steady;
pub(crate) mod versus;
pub(crate) mod work;
pub(crate) mod worker;
