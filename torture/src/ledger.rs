//! The ledger: what the processes themselves saw happen, in files beside the database. Each process appends to a file of
//! its own, a line for each event, in one write before it goes on: what it wrote outlives its SIGKILL.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Microseconds since 1970, by this machine's clock.
pub(crate) type Moment = i64;

/// Now; a process whose clock is `skew` seconds off knows it.
pub(crate) fn now(skew: i64) -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX) - skew * 1_000_000
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub(crate) enum Event {
    /// A job is about to be enqueued; in a transaction that will be rolled back unless it `commits`.
    Intent {
        at: Moment,
        id: Uuid,
        number: u64,
        kind: String,
        due: Moment,
        key: Option<String>,
        commits: bool,
    },
    /// It was accepted.
    Enqueued { at: Moment, id: Uuid },
    /// Another one holds its unique key: this one.
    Merged { at: Moment, id: Uuid, into: Uuid },
    /// The answer was lost: it may have been accepted.
    Unknown { at: Moment, id: Uuid },
    /// The transaction that it was enqueued in was rolled back.
    RolledBack { at: Moment, id: Uuid },
    /// Somebody asked for its end. `done` if it was cancelled there and then, before it ran.
    Cancelled { at: Moment, id: Uuid, done: bool },
    /// A worker runs it.
    Start { at: Moment, id: Uuid, fence: Uuid, attempt: u16 },
    /// The run came to its end.
    End { at: Moment, id: Uuid, fence: Uuid, outcome: Outcome },
    /// The worker was told what became of it.
    Settled { at: Moment, id: Uuid, state: String },
    /// The worker was told that its outcome does not count.
    Refused { at: Moment, id: Uuid },
    /// A worker enters the list of the living.
    Joined { at: Moment },
    /// A fault.
    Fault { from: Moment, to: Moment, kind: String, whom: Option<String> },
    /// What the database said was claimed for a process when it was killed or stopped, and which of it counts as begun.
    Held { at: Moment, whom: String, ids: Vec<Uuid>, begun: Vec<Uuid> },
}

/// How a run ended, as the job itself knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Ok,
    /// It wants to be tried again.
    Error,
    Snooze,
}

/// Where a process notes what it sees.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: File,
    skew: i64,
}

impl Ledger {
    pub(crate) fn open(path: &Path, skew: i64) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Ledger { file, skew })
    }

    pub(crate) fn now(&self) -> Moment {
        now(self.skew)
    }

    /// Notes an event; a ledger that cannot be written ends the process, since nothing that follows would count.
    pub(crate) fn note(&self, event: &Event) {
        let mut line = serde_json::to_vec(event).unwrap_or_default();
        line.push(b'\n');
        if let Err(error) = (&self.file).write_all(&line) {
            eprintln!("torture: the ledger cannot be written: {error}");
            std::process::abort();
        }
    }
}

/// What one process noted.
#[derive(Debug)]
pub(crate) struct Book {
    /// The process.
    pub(crate) name: String,
    pub(crate) events: Vec<Event>,
}

/// Reads one process's file. Its last line may be cut off by a SIGKILL.
pub(crate) fn read(path: &Path) -> io::Result<Book> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let text = fs::read_to_string(path)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let event = |line: &str| serde_json::from_str(line).map_err(io::Error::other);
    let events = whole.lines().map(event).collect::<io::Result<_>>()?;
    Ok(Book { name, events })
}

/// Reads all files of the folder.
pub(crate) fn read_all(folder: &Path) -> io::Result<Vec<Book>> {
    let mut books = vec![];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "ledger") {
            books.push(read(&path)?);
        }
    }
    books.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(books)
}
