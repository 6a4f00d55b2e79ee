//! What can go wrong: the programs are missing, or a server does not come up.

use std::error;
use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

/// Why there is no server.
///
/// It can be cloned, because every test of a process is told the same one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Error {
    /// The server's programs are not on this machine.
    Missing(Missing),
    /// The operating system refused something.
    #[non_exhaustive]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// A program of the server ended although it was needed.
    #[non_exhaustive]
    Exited {
        /// The program's file.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// The server did not do what it was asked for in time.
    #[non_exhaustive]
    TimedOut {
        /// What was waited for.
        waited_for: &'static str,
        /// How long.
        after: Duration,
        /// The last lines of its log.
        log: String,
    },
}

impl Error {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let doing = doing.into();
        move |source| Error::Io { doing, source: Arc::new(source) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Missing(missing) => missing.fmt(f),
            Error::Io { doing, source } => write!(f, "cannot {doing}: {source}"),
            Error::Exited { program, status, log } => {
                write!(f, "{program} ended with {status}; its log:\n{log}")
            }
            Error::TimedOut { waited_for, after, log } => {
                write!(f, "the server was not {waited_for} after {after:.0?}; its log:\n{log}")
            }
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<Missing> for Error {
    fn from(missing: Missing) -> Error {
        Error::Missing(missing)
    }
}

/// A server's programs were not found; its text says where they were looked for and how to install them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub(crate) programs: &'static str,
    pub(crate) looked_in: String,
    pub(crate) advice: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} not found; looked in {}", self.programs, self.looked_in)?;
        f.write_str(self.advice)
    }
}

impl error::Error for Missing {}
