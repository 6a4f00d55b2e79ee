//! What a server does when it is killed.

/// Whether a server keeps what it was given when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As in production: every commit reaches the disk. For benchmarks, and for tests that pull the plug.
    On,
    /// Nothing waits for the disk. For all other tests.
    Off,
}
