//! PostgreSQL: its settings, its sign of readiness, its addresses.

mod binaries;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::address::encode;
use crate::durability::Durability;
use crate::error::{Error, Missing};
use crate::recipe::{Facts, Recipe};
use crate::server::Server;

pub use binaries::Binaries;

/// The socket's name carries it; no port is opened.
const PORT: &str = "5432";

const FACTS: Facts =
    Facts { prefix: "djob-pg", users: &["postgres"], database: "postgres", stop: "INT", crash: "QUIT" };

const ALWAYS: &[&str] = &["listen_addresses=", "max_connections=300"];
const ON: &[&str] = &["fsync=on", "shared_buffers=256MB", "max_wal_size=4GB"];
const OFF: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
];

/// PostgreSQL servers: where their programs are, and how to start one.
#[derive(Debug)]
pub struct Postgres {
    binaries: Binaries,
    durability: Durability,
    /// The folder of the server that it follows, if it is a standby.
    primary: Option<PathBuf>,
}

impl Postgres {
    /// Finds the server's programs: in the folder `DJOB_TEST_PG_BIN` if that is set; else those of the `initdb` on
    /// `PATH`; else the highest version where distributions and Homebrew put them.
    ///
    /// # Errors
    ///
    /// [`Missing`] says where they were looked for and how to install them.
    ///
    /// ```no_run
    /// let binaries = djob_servers::Postgres::find()?;
    /// println!("{}", binaries.folder().display());
    /// # Ok::<(), djob_servers::Missing>(())
    /// ```
    pub fn find() -> Result<Binaries, Missing> {
        binaries::Places::of_this_machine().find()
    }

    /// Makes a server in a new folder and starts it; returns when it accepts connections, after about a second.
    ///
    /// Root gives the server to the user `postgres`, or else `nobody`. The user `postgres` of the database needs
    /// no password: only the owner of the folder reaches the socket.
    ///
    /// # Errors
    ///
    /// When the programs are missing, or one of them fails: the error then carries the end of its log.
    ///
    /// ```no_run
    /// use djob_servers::{Durability, Postgres};
    ///
    /// let server = Postgres::start(Durability::Off)?;
    /// assert_eq!(server.url(), server.url_for("postgres"));
    /// # Ok::<(), djob_servers::Error>(())
    /// ```
    pub fn start(durability: Durability) -> Result<Server, Error> {
        let binaries = Postgres::find()?;
        Server::start(Box::new(Postgres { binaries, durability, primary: None }))
    }

    /// Starts a hot standby of a server that was started with [`Durability::On`]: a copy that follows it, answers questions
    /// and takes no writes, until `select pg_promote()` makes a server of its own of it.
    ///
    /// # Errors
    ///
    /// As with [`start`](Postgres::start), and where the other one keeps no log for a standby.
    ///
    /// ```no_run
    /// use djob_servers::{Durability, Postgres};
    ///
    /// let primary = Postgres::start(Durability::On)?;
    /// let standby = Postgres::standby_of(&primary)?;
    /// # Ok::<(), djob_servers::Error>(())
    /// ```
    pub fn standby_of(primary: &Server) -> Result<Server, Error> {
        let (binaries, primary) = (Postgres::find()?, Some(primary.folder().to_owned()));
        Server::start(Box::new(Postgres { binaries, durability: Durability::On, primary }))
    }

    /// The program that copies the data of the server that this one follows, and notes where it is.
    fn copy(&self, primary: &Path, folder: &Path) -> Vec<OsString> {
        let mut program: Vec<OsString> = vec![self.binaries.folder().join("pg_basebackup").into()];
        program.extend(["-D".into(), data(folder), "-h".into(), primary.into(), "-p".into(), PORT.into()]);
        program.extend(
            ["-U", "postgres", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"].map(OsString::from),
        );
        program
    }
}

impl Recipe for Postgres {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn initialise(&self, folder: &Path) -> Vec<OsString> {
        if let Some(primary) = &self.primary {
            return self.copy(primary, folder);
        }
        let mut program: Vec<OsString> = vec![self.binaries.initdb().into(), "-D".into(), data(folder)];
        program.extend(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"].map(OsString::from));
        if self.durability == Durability::Off {
            program.push("--no-sync".into());
        }
        program
    }

    fn serve(&self, folder: &Path) -> Vec<OsString> {
        let mut program: Vec<OsString> = vec![self.binaries.postgres().into(), "-D".into(), data(folder)];
        program.extend(["-k".into(), folder.into(), "-p".into(), PORT.into()]);
        let settings = match self.durability {
            Durability::On => ON,
            Durability::Off => OFF,
        };
        program.extend(ALWAYS.iter().chain(settings).flat_map(|setting| ["-c".into(), setting.into()]));
        program
    }

    /// The pid is compared because a crashed server leaves its file behind, saying `ready`, or `standby`.
    fn is_ready(&self, folder: &Path, pid: u32) -> bool {
        let file = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
        let mut lines = file.lines().map(str::trim);
        lines.next() == Some(&pid.to_string()) && matches!(lines.nth(6), Some("ready" | "standby"))
    }

    fn url(&self, folder: &Path, database: &str) -> String {
        let database = encode(database.as_bytes());
        let host = encode(folder.as_os_str().as_encoded_bytes());
        format!("postgres:///{database}?host={host}&port={PORT}&user=postgres")
    }
}

fn data(folder: &Path) -> OsString {
    folder.join("data").into()
}
