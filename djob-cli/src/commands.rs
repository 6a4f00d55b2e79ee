//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod clear;
pub(crate) mod contract;
pub(crate) mod db;
pub(crate) mod doctor;
pub(crate) mod enqueue;
pub(crate) mod jobs;
pub(crate) mod kinds;
pub(crate) mod stats;
pub(crate) mod work;
