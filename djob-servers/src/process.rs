//! A program that runs in a folder, and that the watchdog of the folder can find.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::user::User;

/// Writes the pid down and then becomes the program, so that there is no moment when it runs unknown.
const RECORDED: &str = r#"echo $$ >"$0" && exec "$@""#;

const POLL: Duration = Duration::from_millis(5);

/// A running program, ended for good when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    record: PathBuf,
}

impl Process {
    /// Starts `program` in `folder`, in a process group of its own, with its errors going to `log`.
    pub(crate) fn spawn(
        folder: &Path,
        user: Option<User>,
        program: &[OsString],
        log: File,
    ) -> io::Result<Process> {
        let record = folder.join("pid");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", RECORDED]).arg(&record).args(program);
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0);
        if let Some(user) = user {
            user.run(&mut command);
        }
        Ok(Process { child: command.spawn()?, record })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for the end, at most `limit`; none when it did not come.
    pub(crate) fn wait_at_most(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        loop {
            let status = self.ended()?;
            if status.is_some() || Instant::now() > deadline {
                return Ok(status);
            }
            thread::sleep(POLL);
        }
    }

    /// Sends a signal to the program and its group. By the shell's own `kill`: small images have no other.
    pub(crate) fn signal(&self, signal: &str) -> io::Result<()> {
        Command::new("/bin/sh")
            .args(["-c", r#"kill -s "$0" -- "-$1""#, signal, &self.pid().to_string()])
            .stderr(Stdio::null())
            .status()
            .map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.ended(), Ok(Some(_))) {
            let _ = self.signal("KILL");
            // Where no shell can be started any more, at least the program itself ends.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // The pid may soon be another program's: the watchdog must not find it.
        let _ = fs::remove_file(&self.record);
    }
}
