//! Throw-away database servers for tests: made in a second, private to their owner, gone with it.
//!
//! A test asks for the shared server of its process. The first call starts it, and nothing has to be
//! configured: the programs are found where distributions put them, and root is laid down for the server.
//!
//! ```no_run
//! let url = djob_servers::postgres_url()?;
//! assert!(url.starts_with("postgres:///"));
//! # Ok::<(), djob_servers::Error>(())
//! ```
//!
//! A benchmark, or a test that pulls the plug, starts a server of its own:
//!
//! ```no_run
//! use djob_servers::{Durability, Postgres};
//!
//! let mut server = Postgres::start(Durability::On)?;
//! server.kill()?;
//! server.restart()?;
//! # Ok::<(), djob_servers::Error>(())
//! ```
//!
//! # What a server is
//!
//! One folder of mode 0700 among the temporary files holds its data, its socket and its log. No port is opened.
//! Beside it runs a watchdog, a few lines of POSIX shell, which stops the server and removes the folder when the
//! process that started it is gone, even by SIGKILL. Unix only.

mod address;
mod durability;
mod error;
mod faketime;
mod folder;
mod mariadb;
mod pgbouncer;
mod postgres;
mod process;
mod recipe;
mod server;
mod shared;
mod user;
mod watchdog;

pub use durability::Durability;
pub use error::{Error, Missing};
pub use faketime::faketime;
pub use mariadb::{Installed, MariaDb};
pub use pgbouncer::PgBouncer;
pub use postgres::{Binaries, Postgres};
pub use server::Server;
pub use shared::{mysql_url, pgbouncer_url, postgres_url};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
