//! A server's life: made, started, killed, started again, stopped, removed.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::folder::Folder;
use crate::process::Process;
use crate::recipe::Recipe;
use crate::user::User;
use crate::watchdog::Watchdog;

// Long enough for a loaded machine, and for a crash recovery on it.
const INITIALISED_WITHIN: Duration = Duration::from_secs(120);
const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);

const LOG: &str = "server.log";
const LOG_LINES: usize = 20;

/// A database server of our own. Dropping it stops it and removes its folder.
///
/// ```no_run
/// use djob_servers::{Durability, Postgres};
///
/// let server = Postgres::start(Durability::Off)?;
/// println!("psql '{}'", server.url());
/// server.stop()?;
/// # Ok::<(), djob_servers::Error>(())
/// ```
#[derive(Debug)]
pub struct Server {
    // Fields drop in this order: nothing runs when the folder goes, and the watchdog leaves last.
    process: Option<Process>,
    folder: Folder,
    _watchdog: Watchdog,
    user: Option<User>,
    recipe: Box<dyn Recipe>,
}

impl Server {
    pub(crate) fn start(recipe: Box<dyn Recipe>) -> Result<Server, Error> {
        let facts = recipe.facts();
        let folder = Folder::create(&env::temp_dir(), facts.prefix)?;
        let watchdog = Watchdog::start(folder.path(), facts.crash)?;
        let user = User::instead_of(folder.owner()?, facts.users);
        if let Some(user) = user {
            folder.give_to(user)?;
        }
        let mut server = Server { process: None, folder, _watchdog: watchdog, user, recipe };
        server.initialise()?;
        server.serve()?;
        Ok(server)
    }

    /// The address of the database that every server has, in the form that sqlx and libpq read.
    pub fn url(&self) -> String {
        self.url_for(self.recipe.facts().database)
    }

    /// The address of the database of that name, whether it exists yet or not.
    pub fn url_for(&self, database: &str) -> String {
        self.recipe.url(self.folder(), database)
    }

    /// The folder of its data, its socket and `server.log`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server's process; none after [`kill`](Server::kill).
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Ends the server at once, as a crash would: nothing is flushed and its clients lose their connections.
    ///
    /// # Errors
    ///
    /// When the server does not end in time; it is then ended by SIGKILL.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.halt(self.recipe.facts().crash)
    }

    /// Starts the server on the data it had, whether it was killed or still runs; returns when it is ready.
    ///
    /// The address stays the same. After a kill, a server with [`Durability::Off`](crate::Durability::Off) may have
    /// lost the last moments.
    ///
    /// # Errors
    ///
    /// When the server does not stop or does not start.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.shut_down()?;
        self.serve()
    }

    /// Stops the server and removes its folder, as dropping it does, but says when that fails.
    ///
    /// # Errors
    ///
    /// When the server does not end in time, or the folder cannot be removed.
    pub fn stop(mut self) -> Result<(), Error> {
        self.shut_down()?;
        self.folder.remove()
    }

    fn initialise(&self) -> Result<(), Error> {
        let program = self.recipe.initialise(self.folder());
        let ended = self.spawn(&program)?.wait_at_most(INITIALISED_WITHIN);
        match ended.map_err(Error::io(waiting_for(&program)))? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(self.exited(&program, status)),
            None => Err(self.timed_out("initialised", INITIALISED_WITHIN)),
        }
    }

    fn serve(&mut self) -> Result<(), Error> {
        let program = self.recipe.serve(self.folder());
        let mut process = self.spawn(&program)?;
        let deadline = Instant::now() + READY_WITHIN;
        while !self.recipe.is_ready(self.folder(), process.pid()) {
            if let Some(status) = process.ended().map_err(Error::io(waiting_for(&program)))? {
                return Err(self.exited(&program, status));
            }
            if Instant::now() > deadline {
                return Err(self.timed_out("ready", READY_WITHIN));
            }
            thread::sleep(POLL);
        }
        self.process = Some(process);
        Ok(())
    }

    fn shut_down(&mut self) -> Result<(), Error> {
        self.halt(self.recipe.facts().stop)
    }

    fn halt(&mut self, signal: &'static str) -> Result<(), Error> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let ended = process.signal(signal).and_then(|()| process.wait_at_most(STOPPED_WITHIN));
        match ended.map_err(Error::io("stop the server"))? {
            Some(_) => Ok(()),
            None => Err(self.timed_out("stopped", STOPPED_WITHIN)),
        }
    }

    fn spawn(&self, program: &[OsString]) -> Result<Process, Error> {
        let log = File::options().create(true).append(true).open(self.folder().join(LOG));
        let process = log.and_then(|log| Process::spawn(self.folder(), self.user, program, log));
        let user = self.user.map(|user| format!(" as user {}", user.uid)).unwrap_or_default();
        let doing = format!("run {} in {}{user}", name_of(program), self.folder().display());
        process.map_err(Error::io(doing))
    }

    fn exited(&self, program: &[OsString], status: ExitStatus) -> Error {
        Error::Exited { program: name_of(program), status, log: self.log_tail() }
    }

    fn timed_out(&self, waited_for: &'static str, after: Duration) -> Error {
        Error::TimedOut { waited_for, after, log: self.log_tail() }
    }

    fn log_tail(&self) -> String {
        last_lines(fs::read(self.folder().join(LOG)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that does not stop is ended by its process's own drop.
        let _ = self.shut_down();
    }
}

fn name_of(program: &[OsString]) -> String {
    program.first().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default()
}

fn waiting_for(program: &[OsString]) -> String {
    format!("wait for {}", name_of(program))
}

fn last_lines(log: io::Result<Vec<u8>>) -> String {
    let log = match &log {
        Ok(log) => String::from_utf8_lossy(log),
        Err(error) => format!("(not readable: {error})").into(),
    };
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

#[cfg(test)]
mod tests;
