//! The server that the tests of one process share.

use std::env;
use std::sync::OnceLock;

use crate::error::Error;
use crate::postgres::{Durability, Postgres};
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
    // A static is never dropped: it is the watchdog that ends the server.
    static SERVER: OnceLock<Result<Server, Error>> = OnceLock::new();
    match env::var("DJOB_TEST_POSTGRES_URL") {
        Ok(url) if !url.is_empty() => Ok(url),
        _ => match SERVER.get_or_init(|| Postgres::start(Durability::Off)) {
            Ok(server) => Ok(server.url()),
            Err(error) => Err(error.clone()),
        },
    }
}
