//! What djob's jobs promise about their arguments, without their code.
//!
//! * [`Office`] and [`Judge`] judge arguments by a JSON Schema: what the command line and the HTTP endpoint enqueue.
//! * [`differences`] says what stored arguments lose from one schema to another.
//! * [`Backlog`] tells which stored jobs a program's code can run.
//! * [`Samples`] are arguments as a schema allows them, for tests.
//! * [`Lock`] is the file in which a program keeps its jobs' contracts, and [`Lock::check`] what a change of them breaks.
//!
//! A program that only enqueues and runs its own jobs needs none of this: `djob` is enough.

mod backlog;
mod compare;
#[cfg(feature = "judge")]
mod json;
#[cfg(feature = "judge")]
mod judge;
mod lock;
mod pointer;
#[cfg(feature = "judge")]
mod request;
mod sample;
mod shape;
#[cfg(all(test, feature = "judge"))]
mod truth;

pub use backlog::{Backlog, Reading, Unread};
pub use compare::{Change, Difference, Unknown, differences};
#[cfg(feature = "judge")]
pub use judge::{InvalidSchema, Judge};
pub use lock::{Compatibility, InvalidLock, Lock, Locked, Ruling};
#[cfg(feature = "judge")]
pub use request::{Office, Refusal, Request};
pub use sample::Samples;
