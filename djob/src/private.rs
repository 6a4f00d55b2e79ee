//! What the code written by `#[job]` calls. Not part of the public interface.

use std::future::Future;

use serde::de::DeserializeOwned;

pub use crate::job::Need;
pub use crate::job::schema::of as schema;
pub use crate::job::version::{old, step};
use crate::job::{ArgsError, IntoJobResult, JobError, args};
pub use crate::registry::Registered;
pub use {inventory, schemars, serde, validator};

/// A type that can be an argument.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as a job argument",
    label = "not storable in the queue",
    note = "a job argument must implement `Serialize`, `DeserializeOwned`, `JsonSchema`, `Send` and `Sync`",
    note = "if this is shared state (a pool, a client), mark the parameter `#[state]` and take it as `&{Self}`"
)]
pub trait JobArg {}
impl<T: serde::Serialize + DeserializeOwned + schemars::JsonSchema + Send + Sync + 'static> JobArg for T {}

/// A type that can be shared state.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as job state",
    note = "state is shared between threads: it must be `Send + Sync + 'static`"
)]
pub trait JobState {}
impl<T: Send + Sync + 'static> JobState for T {}

/// Declares a check that a type fits one of validator's rules, with a message of its own.
macro_rules! fits {
    ($assert:ident, $name:ident, $rule:literal, $wants:literal) => {
        #[doc = concat!("A type that `#[validate(", $rule, ")]` can look at.")]
        #[diagnostic::on_unimplemented(
                                                    message = "`{Self}` cannot be checked by this rule",
                                                    label = $wants,
                                                    note = $wants
                                                )]
        pub trait $name {}
        #[doc = concat!("Compiles if `#[validate(", $rule, ")]` can look at `T`.")]
        pub const fn $assert<T: $name>() {}
    };
}

fits!(
    assert_email,
    FitsEmail,
    "email",
    "`#[validate(email)]` needs a text: `&str`, `String` or `Option<String>`"
);
fits!(assert_url, FitsUrl, "url", "`#[validate(url)]` needs a text: `&str`, `String` or `Option<String>`");
fits!(assert_length, FitsLength, "length(..)", "`#[validate(length(..))]` needs a text or a collection");
fits!(assert_range, FitsRange, "range(..)", "`#[validate(range(..))]` needs a number or an `Option` of one");

impl<T: validator::ValidateEmail> FitsEmail for T {}
impl<T: validator::ValidateUrl> FitsUrl for T {}
impl<T: validator::ValidateLength<u64>> FitsLength for T {}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl FitsRange for $number {}
        impl FitsRange for Option<$number> {}
    )*};
}
numbers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

/// Compiles if `T` can be an argument.
pub const fn assert_arg<T: JobArg>() {}
/// Compiles if `T` can be shared state.
pub const fn assert_state<T: JobState>() {}
/// Compiles if a job may return `T`.
pub const fn assert_output<T: IntoJobResult>() {}

/// Compiles if the future may be sent between threads.
pub fn require_send<F: Future + Send>(future: F) -> F {
    future
}

/// Reads stored arguments.
pub fn decode<A: DeserializeOwned + validator::Validate>(json: &str) -> Result<A, JobError> {
    args::decode(json).map_err(JobError::Args)
}

/// Arguments that were made from those of an older version, as a worker that stores them would write them.
pub fn upcasted<A>(args: &A) -> Result<String, ArgsError>
where
    A: serde::Serialize + DeserializeOwned + validator::Validate,
{
    args::encode(args)
}

/// Says whether these are arguments of the job.
pub fn check<A: DeserializeOwned + validator::Validate>(json: &str) -> Result<(), ArgsError> {
    args::decode::<A>(json).map(drop)
}

/// Validates arguments, writes them and reads them back, so that `perform_now` sees what a worker would.
pub fn round_trip<A>(given: A) -> Result<A, JobError>
where
    A: serde::Serialize + DeserializeOwned + validator::Validate,
{
    Ok(args::decode(&args::encode(&given)?)?)
}

/// What a job's function returned, as it is stored.
pub fn encode<R: IntoJobResult>(returned: R) -> Result<Option<String>, JobError> {
    returned.into_job_result()
}

/// Runs a function that is not async on the blocking pool.
pub async fn blocking<T: Send + 'static>(
    function: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JobError> {
    match tokio::task::spawn_blocking(function).await {
        Ok(returned) => Ok(returned),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => Err(JobError::Panicked(crate::worker::panic_text(&*panic))),
            Err(_) => Err(JobError::Context("the runtime has stopped")),
        },
    }
}
