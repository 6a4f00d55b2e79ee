//! x
mod assertions;
mod databases;
mod harness;
