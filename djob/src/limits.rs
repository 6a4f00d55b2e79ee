//! Every limit and every default, in one place to look them up. The book's page *Limits* lists them with their reasons.

pub use crate::client::{HORIZON, TAGS_MAX};
pub use crate::job::args::{ARGS_MAX, DEPTH_MAX, check};
pub use crate::job::backoff::BACKOFF_MAX;
pub use crate::job::name::NAME_MAX;
pub use crate::job::outcome::{ERROR_MAX, RESULT_MAX};
pub use crate::job::settle::{CRASHES_MAX, KEEP_COMPLETED, KEEP_FAILED, SNOOZE_MAX};
pub use crate::worker::{BEAT, CONCURRENCY, CONCURRENCY_MAX, DRAIN, GRACE, LEASE, POLL, POLL_ALONE, TIMEOUT};
