//! The `#[job]` attribute of djob. Depend on `djob`, which exports it.
//!
//! The files are the passes, in order: `attr` reads the options, `input` and `param` the function,
//! `check` holds the rules, `expand` (with `methods` and `def`) writes the job, and `fallback` what is
//! left when there is none.

use proc_macro2::TokenStream;
use quote::quote;

mod attr;
mod check;
mod def;
mod duration;
mod errors;
mod expand;
mod fallback;
mod input;
mod methods;
mod name;
mod param;
mod value;

/// Makes a job of a function.
///
/// ```ignore
/// use djob::{JobContext, job};
///
/// /// Send the welcome mail.
/// #[job(queue = "mail", retries = 5, priority = 10)]
/// pub async fn send_welcome(
///     ctx: &JobContext,
///     #[state] mailer: &Mailer,
///     user_id: i64,
///     #[validate(email)] email: &str,
///     #[serde(default)] locale: Option<String>,
/// ) -> Result<(), MailError> {
///     mailer.send(email, locale.as_deref()).await
/// }
///
/// send_welcome.perform_later(7, "ada@example.org", None).await?;
/// ```
///
/// # What it makes
///
/// The function's name becomes a value with methods, and its arguments a struct, `SendWelcomeJob`:
///
/// * `send_welcome.perform_later(args..)` stores the job when it is awaited;
/// * `send_welcome.perform_now(&ctx, args..).await` validates the arguments, passes them through JSON as
///   the queue does, and runs the function here;
/// * `send_welcome.call(..)` is the function itself, with all its own parameters;
/// * `send_welcome.def()` is what is known of the job before it runs;
/// * `SendWelcomeJob { .. }.perform_later()` and `.perform_now(&ctx)` do the same from the struct.
///
/// An `async fn` runs on the runtime and must be `Send`; a plain `fn` runs on the blocking pool. A job
/// returns `()`, or a `Result` whose value can be stored and whose error is an error. As the name is a
/// value, no local variable can have it where the job is imported.
///
/// # Parameters
///
/// * **The context**, `ctx: &JobContext`: known by the name of its type; an alias is marked `#[ctx]`.
/// * **State**, `#[state] mailer: &Mailer`: shared by all jobs of the worker, found by its type, never stored.
/// * **Arguments**, all others: stored under their names, without leading underscores. They are taken by
///   value; `&str` and `&[T]` are stored as `String` and `Vec<T>`, and borrowed again for the run.
///
/// Attributes of an argument, such as `#[validate(..)]`, `#[serde(..)]` and its doc comment, go to the
/// field of the struct; from there they reach the JSON schema. Attributes of the function stay with it,
/// so `#[instrument]` belongs above `#[job]`, where it sees the function's own name.
///
/// # Options
///
/// Where an option is computed, it is a closure from the arguments (`|job| ..`) or the path of such a function.
///
/// | option | |
/// |---|---|
/// | `queue = "mail"` | The queue, or a closure that picks it. Default: `"default"`. |
/// | `priority = 10` | Lower runs first; may be negative, or a closure. Default: 0. |
/// | `delay = "5m"` | How long the job waits before its first attempt, or a closure. Default: not at all. |
/// | <code>unique = \|job\| job.user_id.to_string()</code> | The key of which only one job may wait or run. |
/// | `retries = 5` | How often a failed attempt is repeated, 0 to 1000. Default: 24, so 25 attempts in all. |
/// | `timeout = "30s"` | How long one attempt may take. |
/// | `backoff = "exponential 2s"` | The wait before a retry: `"polynomial"` (default), `"exponential"` (from 1 s, or from the time given), `"linear 30s"`, `"fixed 30s"`, or the path of a `fn(u32) -> Duration`. |
/// | `keep = "7d"` | How long the finished job stays readable; `"0s"` for not at all, or `"forever"`. |
/// | `name = "mail.welcome"` | The kind that is stored. Default: the function's name. |
/// | `aliases = ["old_name"]` | Former kinds whose stored jobs this function runs too. |
/// | `version = 2` | The version of the arguments; stored with each job. Default: 1. |
/// | `upcast = [v1_to_v2]` | How stored arguments of older versions become today's: a function from each version to the next, the oldest first; `_` for one of which no job is left. |
/// | `args = Welcome` | The name of the arguments struct. Default: `SendWelcomeJob` for `send_welcome`. |
/// | `strict` | Refuse stored arguments with unknown fields, which are otherwise tolerated while a deploy rolls. |
/// | `transactional` | The job completes inside its own transaction, `ctx.complete_in(&mut tx)`. |
/// | `crate = my_app::djob` | Where djob is found, for macros of other crates. Default: `::djob`. |
///
/// Durations are whole numbers with the units `ms s m h d w`, the largest first: `"1h30m"`. Queues and
/// kinds are named with 1 to 63 of `a-z 0-9 _ . : -`, a letter first.
///
/// ```ignore
/// #[job(
///     queue = |job| if job.rows > 10_000 { "bulk" } else { "default" },
///     unique = |job| format!("import:{}", job.file),
///     backoff = "linear 30s",
///     timeout = "10m",
/// )]
/// async fn import(file: &str, rows: u64) -> Result<(), ImportError> { .. }
/// ```
#[proc_macro_attribute]
pub fn job(attr: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(attr.into(), item.into()).into()
}

/// All of the macro, on tokens that exist outside a compiler.
fn expand(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = errors::Errors::default();
    let options = attr::Options::read(attr, &mut errors);
    let mut function = match input::Function::read(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            errors.push(error);
            let item = fallback::item(item);
            return quote!(#item #errors);
        }
    };
    let mut faults = errors::Errors::default();
    let params = check::signature(&mut function, &mut faults);
    check::contradictions(&options, &function, &params, &mut errors);
    let expansion = if faults.is_empty() {
        expand::Job::new(&function, &options, &params).expand()
    } else {
        fallback::function(&function)
    };
    quote!(#expansion #errors #faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `tokens` contain `part`, whatever the spaces.
    fn contains(tokens: &TokenStream, part: TokenStream) -> bool {
        tokens.to_string().replace(' ', "").contains(&part.to_string().replace(' ', ""))
    }

    fn errors(tokens: &TokenStream) -> usize {
        tokens.to_string().matches("compile_error").count()
    }

    #[test]
    fn the_function_comes_first_renamed_and_otherwise_as_written() {
        let job = expand(quote!(), quote!(#[inline] pub async fn f(#[state] a: &A, _id: u8) { half typed. }));
        let first = quote!(#[inline] async fn __djob_f(a: &A, _id: u8) { half typed. });
        let before = job.to_string();
        let before = &before[..before.find("const _").unwrap()];
        assert!(contains(&before.parse().unwrap(), first), "{before}");
        assert_eq!(errors(&job), 0);
    }

    #[test]
    fn arguments_become_fields_and_a_job_without_any_keeps_its_braces() {
        let job = expand(
            quote!(),
            quote!(
                pub fn f(#[validate(email)] to: &str, _id: u8) {}
            ),
        );
        assert!(
            contains(&job, quote!(#[validate(email)] pub to: ::std::string::String, pub id: u8)),
            "{job}"
        );
        let job = expand(
            quote!(args = Nothing),
            quote!(
                async fn f(ctx: &JobContext) {}
            ),
        );
        assert!(
            contains(
                &job,
                quote!(
                    struct Nothing {}
                )
            ),
            "{job}"
        );
    }

    #[test]
    fn the_definition_holds_the_options() {
        let job = expand(
            quote!(timeout = "2s", backoff = "linear 1m", keep = "forever", retries = 3, aliases = ["g"]),
            quote!(
                async fn f() {}
            ),
        );
        for part in [
            quote!(kind: "f", aliases: &["g"], version: 1u16, upcasts: &[], queue: "default", priority: 0i16),
            quote!(retries: 3u16),
            quote!(timeout: ::core::option::Option::Some(::core::time::Duration::from_millis(2000u64))),
            quote!(backoff: ::djob::Backoff::Linear(::core::time::Duration::from_millis(60000u64))),
            quote!(keep: ::core::option::Option::Some(::djob::Keep::Forever)),
            quote!(transactional: false, strict: false, blocking: false),
        ] {
            assert!(contains(&job, part.clone()), "{part}");
        }
    }

    #[test]
    fn each_older_version_has_its_way_to_today_unless_it_is_given_up() {
        let job = expand(
            quote!(version = 4, upcast = [one, _, three]),
            quote!(
                async fn f(id: u8) {}
            ),
        );
        assert_eq!(errors(&job), 0, "{job}");
        assert!(contains(&job, quote!(let __args = ::djob::__private::step(three, 3u16, __args)?;)));
        // What comes from version 1 gets stuck at version 2, whose own way is given up.
        assert!(!contains(&job, quote!(step(one, 1u16, __args))));
    }

    #[test]
    fn a_gap_between_versions_is_reported() {
        for attr in [
            quote!(version = 2),
            quote!(upcast = one),
            quote!(version = 3, upcast = two),
            quote!(version = 2, upcast = [one, two]),
            quote!(version = 1, upcast = [one]),
        ] {
            let job = expand(
                attr.clone(),
                quote!(
                    async fn f(id: u8) {}
                ),
            );
            assert_eq!(errors(&job), 1, "{attr}: {job}");
        }
    }

    #[test]
    fn only_computed_options_override_the_trait() {
        let job = expand(
            quote!(queue = "a", priority = 1, delay = "1s"),
            quote!(
                async fn f() {}
            ),
        );
        assert!(!contains(&job, quote!(fn queue)) && !contains(&job, quote!(fn delay)));
        assert!(contains(&job, quote!(computed: &[])));
        let job = expand(
            quote!(queue = |j| "a", delay = |j| later, unique = key),
            quote!(
                async fn f() {}
            ),
        );
        let named = quote!(computed: &["queue", "delay", "unique"]);
        for part in [quote!(fn queue(&self)), quote!(fn delay(&self)), quote!(fn unique_key(&self)), named] {
            assert!(contains(&job, part));
        }
    }

    #[test]
    fn a_wrong_option_leaves_the_job_and_a_wrong_signature_leaves_the_function() {
        let job = expand(
            quote!(retires = 1),
            quote!(
                async fn f(id: u8) {}
            ),
        );
        assert!(errors(&job) == 1 && contains(&job, quote!(struct FJob)));
        let function = expand(
            quote!(retires = 1),
            quote!(
                async fn f(#[state] a: A, b: &B) {}
            ),
        );
        assert!(
            errors(&function) == 3
                && contains(
                    &function,
                    quote!(
                        async fn f(a: A, b: &B) {}
                    )
                )
        );
        let item = expand(
            quote!(),
            quote!(
                struct NotAFunction;
            ),
        );
        assert!(
            errors(&item) == 1
                && contains(
                    &item,
                    quote!(
                        struct NotAFunction;
                    )
                )
        );
    }

    #[test]
    fn contradictions_are_reported_at_once() {
        let attr = quote!(
            retries = 0,
            backoff = "linear 1s",
            timeout = "0s",
            aliases = ["f", "g", "g"],
            args = f,
            transactional,
            strict
        );
        let job = expand(
            attr,
            quote!(
                async fn f(#[serde(flatten)] all: Map) {}
            ),
        );
        assert_eq!(errors(&job), 7, "{job}");
    }
}
