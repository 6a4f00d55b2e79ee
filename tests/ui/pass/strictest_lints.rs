//! A job adds no warning of its own to the strictest program.

#![deny(warnings, missing_docs, unused, nonstandard_style, future_incompatible, rust_2018_idioms)]
#![deny(missing_debug_implementations, unreachable_pub, unused_qualifications, unnameable_types)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(clippy::redundant_pub_crate)] // It contradicts `unreachable_pub`.
#![forbid(unsafe_code)]

use std::fmt::Write as _; // Used in a body alone.

use djob::{JobContext, job};

struct Mailer;

/// Send the welcome mail.
///
/// # Errors
/// When the mail cannot be written.
#[job(queue = "mail", priority = |job| if job.user_id > 9 { 1 } else { 2 }, unique = |job| job.email.clone())]
async fn send_welcome(
    ctx: &JobContext,
    #[state] mailer: &Mailer,
    user_id: i64,
    #[validate(email)] email: &str,
    _locale: Option<String>,
) -> Result<usize, std::fmt::Error> {
    let mut mail = String::new();
    write!(mail, "{user_id} {email}")?;
    let _: (&JobContext, &Mailer) = (ctx, mailer);
    Ok(mail.len())
}

/// Blocking, and public within a module.
mod jobs {
    use djob::job;

    /// Resize.
    #[job]
    pub(crate) fn resize(width: u32) {
        let _ = width;
    }

    /// Replaced by [`resize`].
    #[job]
    #[deprecated = "use resize"]
    pub(crate) async fn shrink(width: u32) {
        let _ = width;
    }
}

/// Never named: a schedule may start it.
#[job]
async fn sweep() {}

fn main() {
    let _later = send_welcome.perform_later(1, "ada@example.org", None);
    let _later = jobs::resize.perform_later(1);
}
