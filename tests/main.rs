//! The black box: djob from outside, on real databases, with real processes.

#![allow(missing_docs, clippy::unwrap_used, unreachable_pub)]

mod bad_input;
mod clocks;
mod common;
mod contract;
mod crash;
mod crowded;
mod enqueue;
mod failover;
mod failure_modes;
mod full_disk;
mod grants;
mod http;
mod many_workers;
mod model;
mod mutants;
mod odd_servers;
mod plain_text;
mod poison;
mod poolers;
mod restore;
mod rolling;
mod strangers;
mod tidy;
mod ui;
mod wal;
