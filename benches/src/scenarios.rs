//! What is measured, one file for each kind.

pub(crate) mod enqueue;
pub(crate) mod idle;
pub(crate) mod latency;
pub(crate) mod slow;
pub(crate) mod work;
pub(crate) mod worker;
