//! Assertions on what waits to be run, with a report that shows the difference field by field.
//!
//! Arguments are compared as the JSON in which they are stored, so a job's struct needs neither `Debug` nor `PartialEq`.

mod report;
mod wanted;

use djob::{BoxError, Client, Filter, JobRow};

pub use wanted::Wanted;

use crate::TestDatabase;

/// What has jobs that can be looked at: a [`Client`], a [`Harness`](crate::Harness), a [`TestDatabase`].
pub trait HasJobs {
    /// The client that reaches them.
    fn client(&self) -> &Client;
}

impl HasJobs for Client {
    fn client(&self) -> &Client {
        self
    }
}

impl HasJobs for TestDatabase {
    fn client(&self) -> &Client {
        TestDatabase::client(self)
    }
}

#[cfg(feature = "sqlite")]
impl HasJobs for crate::Harness {
    fn client(&self) -> &Client {
        crate::Harness::client(self)
    }
}

impl<T: HasJobs + ?Sized> HasJobs for &T {
    fn client(&self) -> &Client {
        (**self).client()
    }
}

/// Looks for the job; the error is the report. Behind [`assert_enqueued!`](crate::assert_enqueued).
///
/// # Errors
/// If it does not wait, or not as often as wanted.
pub async fn enqueued(jobs: impl HasJobs, wanted: Wanted) -> Result<(), String> {
    let (rows, now) =
        look(jobs.client(), &wanted).await.map_err(|error| format!("jobs cannot be listed: {error}"))?;
    let found = rows.iter().filter(|row| wanted.faults(row, now).is_empty()).count();
    match wanted.counted() {
        Some(count) if count != found => Err(report::missing(&wanted, &rows, now, found)),
        None if found == 0 => Err(report::missing(&wanted, &rows, now, found)),
        _ => Ok(()),
    }
}

/// Makes sure that no such job waits; the error is the report. Behind [`refute_enqueued!`](crate::refute_enqueued).
///
/// # Errors
/// If one does.
pub async fn not_enqueued(jobs: impl HasJobs, wanted: Wanted) -> Result<(), String> {
    let (mut rows, now) =
        look(jobs.client(), &wanted).await.map_err(|error| format!("jobs cannot be listed: {error}"))?;
    rows.retain(|row| wanted.faults(row, now).is_empty());
    if rows.is_empty() { Ok(()) } else { Err(report::unwanted(&wanted, &rows, now)) }
}

/// All jobs of the kind, the oldest first, and what time it is.
async fn look(client: &Client, wanted: &Wanted) -> Result<(Vec<JobRow>, djob::Timestamp), BoxError> {
    let mut filter = Filter::default();
    (filter.kind, filter.limit) = (Some(wanted.kind().to_owned()), i32::MAX.cast_unsigned());
    let mut rows = client.list(filter).await?;
    rows.reverse();
    Ok((rows, client.storage().now().await?))
}

/// Asserts that a job waits to be run.
///
/// The job is given as its struct, and all its arguments must be equal; or as its type and some of its arguments, and these
/// must be among them; or as its type alone. `queue`, `priority`, `within` (it is due by then) and `count` (so many of
/// them, no more) may follow. It is used in an async test, on a client, a harness or a test database.
///
/// ```
/// use std::time::Duration;
/// use djob_testing::{Harness, assert_enqueued};
///
/// #[djob::job(queue = "mail", priority = 10)]
/// async fn send_invoice(user_id: i64, email: &str) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), djob::BoxError> {
/// let harness = Harness::new().await;
/// send_invoice.perform_later(7, "ada@example.org").on(harness.client()).await?;
///
/// assert_enqueued!(harness, SendInvoiceJob { user_id: 7, email: "ada@example.org".into() });
/// assert_enqueued!(harness, SendInvoiceJob, { "user_id": 7 }, queue = "mail", priority = 10);
/// assert_enqueued!(harness, SendInvoiceJob, count = 1, within = Duration::ZERO);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// If it does not, with each waiting job of that kind, and marks where it differs.
#[macro_export]
macro_rules! assert_enqueued {
    ($on:expr, $($wanted:tt)+) => {
        if let ::std::result::Result::Err(report) = $crate::assert::enqueued(&$on, $crate::__wanted!($($wanted)+)).await {
            ::std::panic!("{report}");
        }
    };
}

/// Asserts that no such job waits to be run. It is written as [`assert_enqueued!`] is, without `count`.
///
/// ```
/// use djob_testing::{Harness, refute_enqueued};
///
/// #[djob::job]
/// async fn send_report(user_id: i64) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), djob::BoxError> {
/// let harness = Harness::new().await;
/// send_report.perform_later(7).on(harness.client()).await?;
/// refute_enqueued!(harness, SendReportJob { user_id: 8 });
/// refute_enqueued!(harness, SendReportJob, queue = "mail");
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// If one does, with all of those that do.
#[macro_export]
macro_rules! refute_enqueued {
    ($on:expr, $($wanted:tt)+) => {
        if let ::std::result::Result::Err(report) = $crate::assert::not_enqueued(&$on, $crate::__wanted!($($wanted)+)).await {
            ::std::panic!("{report}");
        }
    };
}

/// What was written after the comma.
#[doc(hidden)]
#[macro_export]
macro_rules! __wanted {
    ($($job:ident)::+ { $($args:tt)* } $(, $option:ident = $value:expr)* $(,)?) => {
        $crate::assert::Wanted::exactly(&$($job)::+ { $($args)* })$(.$option($value))*
    };
    ($($job:ident)::+, { $($args:tt)* } $(, $option:ident = $value:expr)* $(,)?) => {
        $crate::assert::Wanted::with::<$($job)::+>($crate::__private::json!({ $($args)* }))$(.$option($value))*
    };
    ($($job:ident)::+ $(, $option:ident = $value:expr)* $(,)?) => {
        $crate::assert::Wanted::any::<$($job)::+>()$(.$option($value))*
    };
}
