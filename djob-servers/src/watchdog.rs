//! The watchdog: a shell of its own that outlives us, however we end, and cleans up after us.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Child, Command, Stdio};

use crate::error::Error;

const SCRIPT: &str = include_str!("watchdog.sh");

/// Watches this process on behalf of one folder.
#[derive(Debug)]
pub(crate) struct Watchdog(Child);

impl Watchdog {
    /// Starts watching. When this process is gone, what runs in `folder` gets `signal` and `folder` is removed.
    pub(crate) fn start(folder: &Path, signal: &str) -> Result<Watchdog, Error> {
        Watchdog::spawn(folder, signal).map(Watchdog).map_err(Error::io("start the watchdog with /bin/sh"))
    }

    /// In a process group of its own, so that Ctrl-C in a terminal does not reach it.
    fn spawn(folder: &Path, signal: &str) -> io::Result<Child> {
        Command::new("/bin/sh")
            .args(["-c", SCRIPT, "djob-watchdog"])
            .arg(process::id().to_string())
            .arg(folder)
            .arg(signal)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // It may have ended already: its loop also ends with the folder.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
