//! What one kind of database server is to us; everything else about servers is the same for all.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

/// How a kind of server is made, run, recognised as ready, and reached.
pub(crate) trait Recipe: fmt::Debug + Send + Sync {
    /// What is the same for all servers of the kind.
    fn facts(&self) -> &'static Facts;

    /// The program, with its arguments, that makes the data in `folder`.
    fn initialise(&self, folder: &Path) -> Vec<OsString>;

    /// The program, with its arguments, that serves the data in `folder`.
    fn serve(&self, folder: &Path) -> Vec<OsString>;

    /// Whether the server in `folder` with this pid accepts connections.
    fn is_ready(&self, folder: &Path, pid: u32) -> bool;

    /// The address of a database of the server in `folder`.
    fn url(&self, folder: &Path, database: &str) -> String;
}

/// The constants of a kind of server.
#[derive(Debug)]
pub(crate) struct Facts {
    /// How its folders are called; short.
    pub(crate) prefix: &'static str,
    /// Users to run it as when we are root, best first.
    pub(crate) users: &'static [&'static str],
    /// The database that exists from the start.
    pub(crate) database: &'static str,
    /// The signal that asks it to stop in good order without waiting for its clients.
    pub(crate) stop: &'static str,
    /// The signal that ends it at once, as a crash would.
    pub(crate) crash: &'static str,
}
