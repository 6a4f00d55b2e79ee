//! What one attempt came to.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use super::args::ArgsError;

/// A boxed error, as a job may return it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// The longest error text that is stored, in bytes.
pub const ERROR_MAX: usize = 8 * 1024;
/// The longest result that is stored, in bytes of JSON.
pub const RESULT_MAX: usize = 64 * 1024;

/// What one attempt came to; [`settle`](super::settle::settle) decides what follows from it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The function returned well, with this result as JSON.
    Completed(Option<String>),
    /// The function returned well after [`complete_in`](crate::JobContext::complete_in): if that transaction was
    /// committed the job is finished already.
    CompletedInTransaction,
    /// The attempt went wrong; another one may follow.
    Error(String),
    /// The attempt went wrong in a way that another attempt cannot mend.
    Fail(String),
    /// The job wants to run again later. Not an error.
    Snooze(Duration),
    /// The job was cancelled, by itself or by somebody else.
    Cancelled(String),
    /// The arguments do not fit the job: set aside, not tried again blindly.
    BrokenContract(String),
    /// This worker does not know the kind.
    UnknownKind,
    /// This worker knows the kind, and not this version of its arguments.
    NewerVersion {
        /// The version that was stored.
        version: u16,
        /// The newest version the worker knows.
        known: u16,
    },
    /// The worker stopped before the attempt came to an end, or before it began.
    Interrupted,
    /// The worker died, and this job was alone in its claim, or is known to have run.
    Crashed,
    /// The worker died, and this job was one of several in its claim: it may have run.
    Suspected,
}

/// Why a job did not do its work, as its function's caller sees it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The arguments are not what the function takes.
    #[error(transparent)]
    Args(#[from] ArgsError),
    /// The worker was built without a state that the function borrows.
    #[error("the job needs the state `{0}`: give it to the worker with `.state(..)`")]
    MissingState(&'static str),
    /// The result cannot be written as JSON.
    #[error("the result cannot be written as JSON: {0}")]
    Result(String),
    /// The function panicked.
    #[error("panicked: {0}")]
    Panicked(String),
    /// The context allows no such thing here.
    #[error("{0}")]
    Context(&'static str),
    /// The function returned an error.
    #[error("{0}")]
    Failed(#[source] BoxError),
}

impl JobError {
    /// The outcome this error stands for.
    pub(crate) fn into_outcome(self) -> Outcome {
        match self {
            JobError::Args(error) => Outcome::BrokenContract(error.to_string()),
            JobError::Failed(error) => match Directive::find(&*error) {
                Some(Directive::Fail(why)) => Outcome::Fail(error_text(why)),
                Some(Directive::Snooze(delay)) => Outcome::Snooze(*delay),
                Some(Directive::Cancel(why)) => Outcome::Cancelled(error_text(why)),
                None => Outcome::Error(error_text(&chain(&*error))),
            },
            other => Outcome::Error(error_text(&other.to_string())),
        }
    }
}

/// What a job may say instead of succeeding or failing; returned as an error, since the work is not done.
///
/// It is found anywhere in the chain of sources, so a variant `#[from] Directive` in the job's own error will do.
///
/// ```
/// use djob::{Directive, job};
/// use std::time::Duration;
///
/// #[job]
/// async fn fetch_report(ready: bool, gone: bool) -> Result<(), djob::BoxError> {
///     if gone {
///         return Err(Directive::fail("there is no such report").into());
///     }
///     if !ready {
///         return Err(Directive::snooze(Duration::from_secs(60)).into());
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Directive {
    /// Give up now: no more attempts.
    Fail(String),
    /// Run again after this long; no attempt is used up.
    Snooze(Duration),
    /// The work is no longer wanted.
    Cancel(String),
}

impl Directive {
    /// Give up now: the job becomes failed whatever attempts it has left.
    pub fn fail(why: impl fmt::Display) -> Self {
        Directive::Fail(why.to_string())
    }

    /// Run again after `delay`; neither an error nor an attempt is counted.
    pub fn snooze(delay: Duration) -> Self {
        Directive::Snooze(delay)
    }

    /// The work is no longer wanted: the job becomes cancelled.
    pub fn cancel(why: impl fmt::Display) -> Self {
        Directive::Cancel(why.to_string())
    }

    fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Directive> {
        error.downcast_ref().or_else(|| Directive::find(error.source()?))
    }
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Directive::Fail(why) => write!(f, "{why}"),
            Directive::Snooze(delay) => write!(f, "snoozed for {delay:?}"),
            Directive::Cancel(why) => write!(f, "cancelled: {why}"),
        }
    }
}

impl StdError for Directive {}

/// An error and its sources on one line, each said once.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        next = source.source();
        let more = source.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
    }
    text
}

/// An error text as it may be stored: bounded, and free of what a database or a terminal chokes on.
pub(crate) fn error_text(text: &str) -> String {
    let lawful = |c: char| if c == '\n' || c == '\t' || !c.is_control() { c } else { '\u{fffd}' };
    let mut clean: String = text.chars().map(lawful).take(ERROR_MAX).collect();
    while clean.len() > ERROR_MAX {
        clean.pop();
    }
    clean
}

/// What a job's function may return: `()`, or `Result<T, E>` with a storable `T` and any error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a valid return type for a job",
    label = "expected `()` or `Result<T, E>`",
    note = "`T` must implement `Serialize`: it is stored as the job's result",
    note = "`E` must implement `Into<Box<dyn Error + Send + Sync>>`: an error leads to another attempt"
)]
pub trait IntoJobResult {
    /// What [`JobHandle::wait`](crate::JobHandle::wait) gives back.
    type Value;

    /// The result as JSON, or what went wrong.
    fn into_job_result(self) -> Result<Option<String>, JobError>;
}

impl IntoJobResult for () {
    type Value = ();
    fn into_job_result(self) -> Result<Option<String>, JobError> {
        Ok(None)
    }
}

impl<T: serde::Serialize, E: Into<BoxError>> IntoJobResult for Result<T, E> {
    type Value = T;
    fn into_job_result(self) -> Result<Option<String>, JobError> {
        let value = self.map_err(|error| JobError::Failed(error.into()))?;
        let json = serde_json::to_string(&value).map_err(|error| JobError::Result(error.to_string()))?;
        match json.as_str() {
            "null" => Ok(None),
            _ if json.len() > RESULT_MAX => {
                Err(JobError::Result(format!("it takes {} bytes; the limit is {RESULT_MAX}", json.len())))
            }
            _ => Ok(Some(json)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome_of<E: Into<BoxError>>(error: E) -> Outcome {
        Err::<(), E>(error).into_job_result().unwrap_err().into_outcome()
    }

    #[derive(Debug, thiserror::Error)]
    #[error("mail server")]
    struct Wrapped(#[source] Directive);

    #[test]
    fn a_directive_is_found_behind_the_jobs_own_error() {
        let minute = Duration::from_secs(60);
        assert_eq!(outcome_of(Wrapped(Directive::snooze(minute))), Outcome::Snooze(minute));
        assert_eq!(outcome_of(Directive::fail("no")), Outcome::Fail("no".into()));
        assert_eq!(outcome_of(Directive::cancel("late")), Outcome::Cancelled("late".into()));
        assert_eq!(outcome_of("plain"), Outcome::Error("plain".into()));
    }

    #[test]
    fn an_error_text_is_bounded_and_printable() {
        assert_eq!(error_text("a\0b\u{1b}[31m\n"), "a\u{fffd}b\u{fffd}[31m\n");
        assert!(error_text(&"ä".repeat(ERROR_MAX)).len() <= ERROR_MAX);
    }

    #[test]
    fn a_result_is_json_or_nothing() {
        assert_eq!(Ok::<_, BoxError>(42).into_job_result().unwrap().as_deref(), Some("42"));
        assert_eq!(Ok::<_, BoxError>(()).into_job_result().unwrap(), None);
        assert!(Ok::<_, BoxError>("x".repeat(RESULT_MAX)).into_job_result().is_err());
    }
}
