//! Logs, on stderr.

use tracing_subscriber::EnvFilter;

use crate::exit::{Exit, Failure};
use crate::output::stderr_is_styled;

/// Begins to log, unless the program already does so in its own way.
pub(crate) fn start(working: bool) -> Result<(), Failure> {
    let asked = ["DJOB_LOG", "RUST_LOG"].into_iter().find_map(|name| Some((name, set(name)?)));
    let default = if working { "warn,djob=info" } else { "warn" };
    let filter = match asked {
        Some((name, text)) => EnvFilter::try_new(text).map_err(|error| refusal(name, &error.to_string()))?,
        None => EnvFilter::new(default),
    };
    let format =
        tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(stderr_is_styled());
    let _ = format.with_writer(std::io::stderr).try_init();
    Ok(())
}

fn refusal(name: &str, why: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("{name} is no filter for logs ({why}): write something like {name}=djob=debug"),
    )
}

/// A variable of the environment that says something.
pub(crate) fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
