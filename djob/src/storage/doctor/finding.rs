//! What a check found.

use std::fmt;

/// What one check of [`Client::examine`](crate::Client::examine) found.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), djob::BoxError> {
/// let client = djob::connect("sqlite::memory:").await?;
/// client.migrate().await?;
/// let findings = client.examine().await?;
/// let file = findings.iter().find(|finding| finding.check == "file").unwrap();
/// assert_eq!(file.verdict, djob::Verdict::Danger);
/// assert_eq!(file.found, "none: the database is in memory");
/// assert_eq!(file.fix.as_deref(), Some("connect to a file: sqlite://jobs.db"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The check's name, which stays as it is: `synchronous_commit`, `clock`, `claims`.
    pub check: &'static str,
    /// How bad it is.
    pub verdict: Verdict,
    /// What was found, figures with their unit.
    pub found: String,
    /// Why it matters, in a sentence; `None` if all is well.
    pub why: Option<&'static str>,
    /// What to type or to do about it; `None` if all is well.
    pub fix: Option<String>,
}

/// How bad a [`Finding`] is; what is worse is greater.
///
/// ```
/// use djob::Verdict;
///
/// assert!(Verdict::Danger > Verdict::Warning);
/// assert_eq!(Verdict::Unknown.to_string(), "unknown");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// All is well.
    Ok,
    /// It could not be looked at.
    Unknown,
    /// Jobs are slower, or less safe from prying eyes, than they could be; or it will become a danger.
    Warning,
    /// The promise does not hold: jobs can be lost, or do not run.
    Danger,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Ok => "ok",
            Verdict::Unknown => "unknown",
            Verdict::Warning => "warning",
            Verdict::Danger => "danger",
        })
    }
}

/// A finding whose check is known to the caller.
#[derive(Debug)]
pub(crate) struct Judged {
    verdict: Verdict,
    found: String,
    why: Option<&'static str>,
    fix: Option<String>,
}

impl Judged {
    pub(super) fn named(self, check: &'static str) -> Finding {
        Finding { check, verdict: self.verdict, found: self.found, why: self.why, fix: self.fix }
    }

    fn bad(verdict: Verdict, found: impl Into<String>, why: &'static str, fix: impl Into<String>) -> Self {
        Judged { verdict, found: found.into(), why: Some(why), fix: Some(fix.into()) }
    }
}

pub(super) fn ok(found: impl Into<String>) -> Judged {
    Judged { verdict: Verdict::Ok, found: found.into(), why: None, fix: None }
}

pub(super) fn unknown(found: impl Into<String>, fix: Option<String>) -> Judged {
    Judged { verdict: Verdict::Unknown, found: found.into(), why: None, fix }
}

pub(super) fn warning(found: impl Into<String>, why: &'static str, fix: impl Into<String>) -> Judged {
    Judged::bad(Verdict::Warning, found, why, fix)
}

pub(super) fn danger(found: impl Into<String>, why: &'static str, fix: impl Into<String>) -> Judged {
    Judged::bad(Verdict::Danger, found, why, fix)
}
