//! How a command ends: exit codes that scripts can rely on, and errors of one line.

use std::process::ExitCode;

use djob::{StorageError, WorkerError};

use crate::output::stderr_is_styled;
use crate::plain;

/// How a command ended. The numbers are the process's exit codes, and stay as they are.
///
/// ```
/// assert_eq!(djob_cli::Exit::NotFound.code(), 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Exit {
    /// All went well.
    Done = 0,
    /// Something went wrong that has no code of its own.
    Failed = 1,
    /// The command line is wrong, or asks for what this program cannot do.
    Usage = 2,
    /// There is no such job, or no such kind.
    NotFound = 3,
    /// `check`, `doctor`, `contract check` or `contract probe` found something to complain about.
    CheckFailed = 4,
    /// The job that was to be enqueued was refused.
    Refused = 5,
    /// The job's state does not allow it, or an id is ambiguous.
    Conflict = 6,
    /// The database cannot be reached.
    Unreachable = 7,
    /// The tables are missing, old, or too new for this program.
    Schema = 8,
}

impl Exit {
    /// The process's exit code.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// One line for each error: the thing, the rule and the way out.
    errors: Vec<String>,
    /// What to do, where that takes more than a line.
    advice: &'static str,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<String>) -> Self {
        Failure::several(exit, vec![error.into()])
    }

    pub(crate) fn several(exit: Exit, errors: Vec<String>) -> Self {
        Failure { exit, errors, advice: "" }
    }

    /// The same errors with something before and after each.
    pub(crate) fn within(self, before: &str, after: &str) -> Self {
        let errors = self.errors.iter().map(|error| format!("{before}{error}{after}")).collect();
        Failure { errors, ..self }
    }

    pub(crate) fn advising(self, advice: &'static str) -> Self {
        Failure { advice, ..self }
    }

    /// Tells the user.
    pub(crate) fn report(&self) -> Exit {
        for error in &self.errors {
            eprintln!("error: {}", plain::line(&plain::without_passwords(error)));
        }
        eprint!("{}", self.advice);
        self.exit
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let exit = match (error.is_unreachable(), error.is_schema()) {
            (true, _) => Exit::Unreachable,
            (_, true) => Exit::Schema,
            _ => Exit::Failed,
        };
        Failure::new(exit, error.to_string())
    }
}

impl From<WorkerError> for Failure {
    fn from(error: WorkerError) -> Self {
        match error {
            WorkerError::Storage(error) => error.into(),
            WorkerError::Setting(why) => Failure::new(Exit::Usage, why),
            other => Failure::new(Exit::Failed, other.to_string()),
        }
    }
}

/// Shows what clap has to say: help, the version, or what is wrong with the command line.
pub(crate) fn usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // Nothing is left to do if nobody reads it.
        let _ = error.print();
        return Exit::Done;
    }
    let text = error.render();
    let text = if stderr_is_styled() { text.ansi().to_string() } else { text.to_string() };
    eprint!("{}", plain::without_passwords(&text));
    Exit::Usage
}
