//! Testing jobs, and testing djob.
//!
//! - [`Harness`]: your jobs on a real database in memory, run when the test says so, with a clock that the test moves.
//! - [`assert_enqueued!`] and [`refute_enqueued!`]: what waits to be run, compared field by field.
//! - [`TestDatabase`] and [`on_every_database!`]: an empty database for each test, on SQLite and PostgreSQL.
//! - [`golden!`] and [`round_trips`]: stored arguments stay readable, whatever becomes of the code.
//! - `conformance` (feature of that name): what every storage must do, for those who write one.
//!
//! ```
//! use djob_testing::{Harness, assert_enqueued};
//!
//! #[djob::job(queue = "mail")]
//! async fn send_welcome(user_id: i64, email: &str) {}
//!
//! async fn sign_up(email: &str) -> Result<(), djob::EnqueueError> {
//!     send_welcome.perform_later(7, email).await.map(drop)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), djob::BoxError> {
//! let harness = Harness::new().await;
//! harness.scope(sign_up("ada@example.org")).await?;
//! assert_enqueued!(harness, SendWelcomeJob { user_id: 7, email: "ada@example.org".into() }, queue = "mail");
//!
//! let ran = harness.run_due().await;
//! assert_eq!(ran[0].state, djob::JobState::Completed);
//! # Ok(())
//! # }
//! ```

pub mod assert;
#[cfg(feature = "conformance")]
pub mod conformance;
mod database;
pub mod golden;
#[cfg(feature = "sqlite")]
mod harness;
#[cfg(feature = "sqlite")]
mod verbs;

pub use database::{CallersTransaction, TestDatabase};
pub use golden::round_trips;
#[cfg(feature = "sqlite")]
pub use harness::{Endless, Harness, Ran};

#[doc(hidden)]
pub mod __private {
    //! What the macros call. Not part of the public interface.
    pub use crate::golden::check as golden;
    pub use serde_json::json;
}
