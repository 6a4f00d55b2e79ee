//! PgBouncer: a pooler in transaction mode before a PostgreSQL server.

use std::env;
use std::ffi::OsString;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::address::{decode, encode};
use crate::error::{Error, Missing};
use crate::recipe::{Facts, Recipe};
use crate::server::Server;

/// The socket's name carries it; no port is opened.
const PORT: &str = "6432";

const FACTS: Facts =
    Facts { prefix: "djob-pgb", users: &["postgres"], database: "postgres", stop: "TERM", crash: "KILL" };

const PLACES: [&str; 4] = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];

const ADVICE: &str = "  \
  Debian, Ubuntu: apt-get install pgbouncer
  Fedora:         dnf install pgbouncer
  macOS:          brew install pgbouncer
  or set DJOB_TEST_PGBOUNCER_URL to one in transaction mode before the server of DJOB_TEST_POSTGRES_URL";

/// Poolers before a PostgreSQL server: where the program is, and how to start one.
#[derive(Debug)]
pub struct PgBouncer {
    program: PathBuf,
    /// `host=.. port=.. user=..`
    server: String,
}

impl PgBouncer {
    /// Finds the program `pgbouncer`: on `PATH`, or where distributions put it.
    ///
    /// # Errors
    ///
    /// [`Missing`] says where it was looked for and how to install it.
    ///
    /// ```no_run
    /// let program = djob_servers::PgBouncer::find()?;
    /// println!("{}", program.display());
    /// # Ok::<(), djob_servers::Missing>(())
    /// ```
    pub fn find() -> Result<PathBuf, Missing> {
        let path = env::var_os("PATH").unwrap_or_default();
        let places = env::split_paths(&path).chain(PLACES.map(PathBuf::from));
        places.map(|place| place.join("pgbouncer")).find(|program| program.is_file()).ok_or_else(|| Missing {
            programs: "pgbouncer",
            looked_in: format!("PATH, {}", PLACES.join(", ")),
            advice: ADVICE,
        })
    }

    /// Starts one before the PostgreSQL server at this address, in transaction mode. It has few sessions for each database,
    /// so that its clients really share them.
    ///
    /// # Errors
    ///
    /// When the program is missing, or fails; or if the address is not one that [`Server::url`] gave.
    ///
    /// ```no_run
    /// use djob_servers::{Durability, PgBouncer, Postgres};
    ///
    /// let server = Postgres::start(Durability::Off)?;
    /// let pooler = PgBouncer::start(&server.url())?;
    /// # Ok::<(), djob_servers::Error>(())
    /// ```
    pub fn start(postgres: &str) -> Result<Server, Error> {
        let program = PgBouncer::find()?;
        let server = settings(postgres).ok_or_else(|| Missing {
            programs: "a PostgreSQL server that a pooler can be put before",
            looked_in: "its address, which is not of the form postgres:///database?host=/folder&..".into(),
            advice: ADVICE,
        })?;
        Server::start(Box::new(PgBouncer { program, server }))
    }

    fn configuration(&self, folder: &Path) -> String {
        format!(
            "[databases]\n* = {}\n\
             [pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {}\nauth_type = any\n\
             pool_mode = transaction\nmax_client_conn = 2000\ndefault_pool_size = 3\n",
            self.server,
            folder.display()
        )
    }
}

/// What stands behind the question mark, as PgBouncer writes it.
fn settings(url: &str) -> Option<String> {
    let (_, query) = url.strip_prefix("postgres:///")?.split_once('?')?;
    Some(decode(&query.replace('&', " ")))
}

impl Recipe for PgBouncer {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn initialise(&self, folder: &Path) -> Vec<OsString> {
        let write = r#"printf %s "$1" > "$2""#;
        let mut program: Vec<OsString> = ["sh", "-c", write, "sh"].map(OsString::from).into();
        program.extend([self.configuration(folder).into(), folder.join("pgbouncer.ini").into()]);
        program
    }

    fn serve(&self, folder: &Path) -> Vec<OsString> {
        vec![self.program.clone().into(), folder.join("pgbouncer.ini").into()]
    }

    fn is_ready(&self, folder: &Path, _pid: u32) -> bool {
        UnixStream::connect(folder.join(format!(".s.PGSQL.{PORT}"))).is_ok()
    }

    fn url(&self, folder: &Path, database: &str) -> String {
        let database = encode(database.as_bytes());
        let host = encode(folder.as_os_str().as_encoded_bytes());
        format!("postgres:///{database}?host={host}&port={PORT}&user=postgres&pgbouncer=true")
    }
}
