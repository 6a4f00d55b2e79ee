//! The program djob.
fn main() {}
