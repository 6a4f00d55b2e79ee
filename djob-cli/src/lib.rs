//! The commands of djob: a library for your own binary, and the stand-alone program `djob`.
#![doc = include_str!("../README.md")]

mod app;
mod args;
mod commands;
mod confirm;
mod connect;
mod duration;
mod exit;
mod find;
mod log;
mod output;
mod plain;
mod progress;
mod tally;

pub use app::App;
pub use exit::Exit;
