//! The processes of a run: this same program, started in its parts.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use djob::BoxError;

/// Sends a signal by name. By the shell's own `kill`: there is no safe call for it.
pub(crate) fn signal(pid: u32, name: &str) {
    let kill = format!("kill -{name} {pid}");
    // A process that has gone already is as good as told.
    let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
}

/// A running part of this program; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: String,
    child: Child,
}

impl Process {
    /// Starts this program again with these arguments, and its ledger and log in `folder`.
    pub(crate) fn start(
        name: &str,
        part: &str,
        folder: &Path,
        args: &[(&str, String)],
        skew: Option<(&Path, i64)>,
    ) -> Result<Self, BoxError> {
        let mut command = Command::new(std::env::current_exe()?);
        let ledger = ledger_of(folder, name);
        command.arg(part).arg("--ledger").arg(ledger);
        for (name, value) in args {
            // With an equals sign, since a value may begin with a hyphen.
            command.arg(format!("--{name}={value}"));
        }
        if let Some((library, seconds)) = skew {
            command.env("LD_PRELOAD", library).env("FAKETIME", format!("{seconds:+}s"));
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        let log = File::create(folder.join(format!("{name}.log")))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Ok(Process { name: name.to_owned(), child: command.spawn()? })
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// SIGKILL, also for a process that stands still.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.ended().is_some()
    }

    /// Whether its end was a good one, if it has ended.
    pub(crate) fn ended(&mut self) -> Option<bool> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.success()),
            Err(_) => Some(false),
        }
    }

    /// Waits for its end; whether it came in time, and was a good one.
    pub(crate) async fn ends_well(&mut self, within: Duration) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < within {
            match self.child.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(_) => return false,
            }
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn ledger_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.ledger"))
}

/// The library that lets a process believe in another time, where it is installed.
pub(crate) fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.exists())
}
