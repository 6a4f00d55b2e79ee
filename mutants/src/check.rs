//! One mutant: does it apply, does it compile, and does the named test fail?

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use djob_mutants::{Mutant, apply};

use crate::copy::Copy;

/// What databases say of a statement that is no statement: then nothing else was tested.
const NO_STATEMENT: [&str; 4] =
    ["syntax error", "error in your SQL syntax", "no such column", "could not determine data type"];

/// What became of a mutant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The named test failed. All others are bad news.
    Caught,
    Survived,
    DoesNotApply(String),
    DoesNotCompile,
    Hangs,
    /// Something else went wrong: the reason is in the log.
    Unknown,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Caught => "caught",
            Verdict::Survived => "SURVIVED",
            Verdict::DoesNotApply(why) => return write!(f, "does not apply: {why}"),
            Verdict::DoesNotCompile => "does not compile",
            Verdict::Hangs => "hangs",
            Verdict::Unknown => "no verdict",
        })
    }
}

/// Runs the tests of a mutant, each within `limit`.
pub(crate) fn check(copy: &Copy, mutant: &Mutant, limit: Duration) -> io::Result<Verdict> {
    if let Err(why) = apply(&mutant.patch, &copy.tree, &[]) {
        return Ok(Verdict::DoesNotApply(why.to_string()));
    }
    let build = cargo(copy, "test", &mutant.package, &["--no-run"]);
    if !ended(build, copy, &mutant.name, Duration::MAX)?.is_some_and(|status| status.success()) {
        return Ok(Verdict::DoesNotCompile);
    }
    let test = cargo(copy, "test-all", &mutant.package, &[&mutant.test]);
    let status = ended(test, copy, &mutant.name, limit)?;
    let said = fs::read_to_string(copy.logs.join(&mutant.name).with_extension("log"))?;
    let failed = results(&said).any(|(test, result)| test.contains(&mutant.test) && result == "FAILED");
    Ok(match status {
        None => Verdict::Hangs,
        Some(status) if status.success() => Verdict::Survived,
        Some(_) if NO_STATEMENT.iter().any(|words| said.contains(words)) => Verdict::DoesNotCompile,
        Some(_) if failed => Verdict::Caught,
        Some(_) => Verdict::Unknown,
    })
}

/// Runs all named tests of a package on djob as it is. Returns those that do not pass, or are not there.
pub(crate) fn unbroken(
    copy: &Copy,
    package: &str,
    tests: &[&str],
    limit: Duration,
) -> io::Result<Vec<String>> {
    let name = format!("unbroken-{}", package.split(' ').next().unwrap_or_default());
    let arguments: Vec<&str> = [&["--"], tests].concat();
    ended(cargo(copy, "test", package, &["--no-run"]), copy, &name, Duration::MAX)?;
    ended(cargo(copy, "test-all", package, &arguments), copy, &name, limit)?;
    let said = fs::read_to_string(copy.logs.join(&name).with_extension("log"))?;
    let bad = tests.iter().filter(|test| {
        let mut of_it = results(&said).filter(|(name, _)| name.contains(**test)).peekable();
        of_it.peek().is_none() || of_it.any(|(_, result)| result != "ok")
    });
    Ok(bad.map(|test| format!("{package} {test}")).collect())
}

/// The tests that have run, and how they ended.
fn results(said: &str) -> impl Iterator<Item = (&str, &str)> {
    said.lines().filter_map(|line| line.strip_prefix("test ")?.split_once(" ... "))
}

/// A command of cargo, about some tests of one package.
fn cargo(copy: &Copy, verb: &str, package: &str, more: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([verb, "-p"]).args(package.split(' ')).args(more).current_dir(&copy.tree);
    cargo
        .env("CARGO_TARGET_DIR", &copy.build)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_TERM_COLOR", "never");
    cargo
}

/// Runs a command, with what it says in a log; ends it and all that it has started after `limit`.
fn ended(mut command: Command, copy: &Copy, name: &str, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let log = File::create(copy.logs.join(name).with_extension("log"))?;
    let mut child =
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0).spawn()?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
