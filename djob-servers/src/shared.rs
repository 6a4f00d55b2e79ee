//! The server that the tests of one process share.

use std::env;
use std::sync::OnceLock;

use crate::durability::Durability;
use crate::error::Error;
use crate::mariadb::MariaDb;
use crate::pgbouncer::PgBouncer;
use crate::postgres::Postgres;
use crate::server::Server;

/// The address of the PostgreSQL server for this process's tests.
///
/// That of `DJOB_TEST_POSTGRES_URL` if it is set, as `cargo test-all` does; otherwise the first call starts a server
/// without durability, which all calls share and which ends with the process. Tests share its databases
/// too: each makes its own.
///
/// # Errors
///
/// When the programs are missing or the server does not start. A test passes this on: it must never be taken
/// for a reason to skip.
///
/// ```no_run
/// let url = djob_servers::postgres_url()?;
/// # Ok::<(), djob_servers::Error>(())
/// ```
pub fn postgres_url() -> Result<String, Error> {
    static SERVER: Shared = OnceLock::new();
    url(&SERVER, "DJOB_TEST_POSTGRES_URL", || Postgres::start(Durability::Off))
}

/// The address of the MariaDB or MySQL server for this process's tests: that of `DJOB_TEST_MYSQL_URL` if it is set, or
/// that of a MariaDB which the first call starts, as [`postgres_url`] does.
///
/// # Errors
///
/// As those of [`postgres_url`].
///
/// ```no_run
/// let url = djob_servers::mysql_url()?;
/// # Ok::<(), djob_servers::Error>(())
/// ```
pub fn mysql_url() -> Result<String, Error> {
    static SERVER: Shared = OnceLock::new();
    url(&SERVER, "DJOB_TEST_MYSQL_URL", || MariaDb::start(Durability::Off))
}

/// The address of a PgBouncer in transaction mode before the server of [`postgres_url`]: that of `DJOB_TEST_PGBOUNCER_URL` if
/// it is set, or that of one which the first call starts.
///
/// # Errors
///
/// As those of [`postgres_url`].
///
/// ```no_run
/// let url = djob_servers::pgbouncer_url()?;
/// assert!(url.ends_with("&pgbouncer=true"));
/// # Ok::<(), djob_servers::Error>(())
/// ```
pub fn pgbouncer_url() -> Result<String, Error> {
    static POOLER: Shared = OnceLock::new();
    url(&POOLER, "DJOB_TEST_PGBOUNCER_URL", || PgBouncer::start(&postgres_url()?))
}

// A static is never dropped: it is the watchdog that ends the server.
type Shared = OnceLock<Result<Server, Error>>;

fn url(server: &Shared, variable: &str, start: fn() -> Result<Server, Error>) -> Result<String, Error> {
    match env::var(variable) {
        Ok(url) if !url.is_empty() => Ok(url),
        _ => match server.get_or_init(start) {
            Ok(server) => Ok(server.url()),
            Err(error) => Err(error.clone()),
        },
    }
}
