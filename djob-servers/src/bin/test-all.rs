//! `cargo test-all`: finds or installs the database servers, starts them, and runs `cargo test` against them.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Instant;

use djob_servers::{Durability, MariaDb, Missing, PgBouncer, Postgres, Server};

const MANUAL: &str = "\
cargo test-all: all tests, against real database servers that live as long as the run

  cargo test-all                    every test of the workspace
  cargo test-all some_filter        tests whose names contain it
  cargo test-all -p djob            the tests of one package
  cargo test-all -- --nocapture     arguments for the test programs

All arguments go to `cargo test`, which also gets --workspace unless they choose packages.
Where PostgreSQL, PgBouncer, MariaDB or libfaketime is missing it is installed if that can be done (root, apt-get); otherwise nothing runs.

  DJOB_TEST_POSTGRES_URL            use this PostgreSQL, start none
  DJOB_TEST_PG_BIN                  the folder of initdb and postgres
  DJOB_TEST_MYSQL_URL               use this MariaDB or MySQL, start none
  DJOB_TEST_MARIADBD                the server mariadbd
  DJOB_TEST_PGBOUNCER_URL           use this PgBouncer in transaction mode before that PostgreSQL
  DJOB_TEST_FAKETIME                the library libfaketime

The tests of a full disk mount a small one, which takes root.
";

/// Arguments of `cargo test` that choose packages, each also as `--name=value` or, if short, `-nvalue`.
const CHOOSES_PACKAGES: &[&str] = &["-p", "--package", "--workspace", "--all"];

/// A kind of server that the tests need.
struct Kind {
    name: &'static str,
    /// The variable that names a server to use instead, and one that names the programs.
    url: &'static str,
    programs: Option<&'static str>,
    package: &'static str,
    find: fn() -> Result<(), Missing>,
    start: Start,
}

type StartServer = fn(Durability) -> Result<Server, djob_servers::Error>;

/// Who starts it.
enum Start {
    /// This program, for all test programs.
    Here(StartServer),
    /// Each test program that needs one.
    ThereIfNeeded,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "PostgreSQL",
        url: "DJOB_TEST_POSTGRES_URL",
        programs: Some("DJOB_TEST_PG_BIN"),
        package: "postgresql",
        find: || Postgres::find().map(drop),
        start: Start::Here(Postgres::start),
    },
    Kind {
        name: "MariaDB",
        url: "DJOB_TEST_MYSQL_URL",
        programs: Some("DJOB_TEST_MARIADBD"),
        package: "mariadb-server-core",
        find: || MariaDb::find().map(drop),
        start: Start::Here(MariaDb::start),
    },
    Kind {
        name: "PgBouncer",
        url: "DJOB_TEST_PGBOUNCER_URL",
        programs: None,
        package: "pgbouncer",
        find: || PgBouncer::find().map(drop),
        start: Start::ThereIfNeeded,
    },
    Kind {
        name: "libfaketime",
        url: "DJOB_TEST_FAKETIME",
        programs: None,
        package: "faketime",
        find: || djob_servers::faketime().map(drop),
        start: Start::ThereIfNeeded,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if before_dashes(&arguments).any(|argument| argument == "--help" || argument == "-h") {
        print!("{MANUAL}");
        return ExitCode::SUCCESS;
    }
    run(&arguments).unwrap_or_else(|error| {
        eprintln!("test-all: {error}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &[OsString]) -> Result<ExitCode, Box<dyn Error>> {
    let mut cargo = cargo_test(arguments);
    let mut servers = Vec::new();
    for kind in &KINDS {
        if env::var_os(kind.url).is_some_and(|url| !url.is_empty()) {
            say(format_args!("{} is the one of {}", kind.name, kind.url));
            continue;
        }
        (kind.find)().or_else(|missing| kind.install(missing))?;
        if let Start::Here(start) = kind.start {
            let server = kind.start(start)?;
            cargo.env(kind.url, server.url());
            servers.push((kind, server));
        }
    }
    let status = cargo.status();
    for (kind, server) in servers {
        let begun = Instant::now();
        server.stop()?;
        say(format_args!("{} stopped ({:.1?})", kind.name, begun.elapsed()));
    }
    Ok(code_of(status?))
}

impl Kind {
    fn start(&self, start: StartServer) -> Result<Server, Box<dyn Error>> {
        let begun = Instant::now();
        let server = start(Durability::Off)?;
        say(format_args!("{} started in {} ({:.1?})", self.name, server.folder().display(), begun.elapsed()));
        Ok(server)
    }

    /// Installs what is missing if we may; programs that were chosen by hand are not for us to replace.
    fn install(&self, missing: Missing) -> Result<(), Box<dyn Error>> {
        if self.programs.is_some_and(|chosen| env::var_os(chosen).is_some()) || !is_root() || !has_apt_get() {
            return Err(missing.into());
        }
        let begun = Instant::now();
        say(format_args!("{} is missing, installing it with apt-get", self.name));
        apt_get(&["update"])?;
        apt_get(&["install", "-y", "--no-install-recommends", self.package])?;
        say(format_args!("{} installed ({:.1?})", self.name, begun.elapsed()));
        Ok((self.find)()?)
    }
}

fn apt_get(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let status = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status()?;
    if status.success() { Ok(()) } else { Err(format!("apt-get {}: {status}", arguments.join(" ")).into()) }
}

/// Asked only where `apt-get` is, so on Linux, where a process owns its entry in `/proc`.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn has_apt_get() -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|dir| dir.join("apt-get").is_file()))
}

fn cargo_test(arguments: &[OsString]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("test");
    if !chooses_packages(arguments) {
        cargo.arg("--workspace");
    }
    cargo.args(arguments);
    cargo
}

fn chooses_packages(arguments: &[OsString]) -> bool {
    before_dashes(arguments).any(|argument| {
        let argument = argument.to_string_lossy();
        let name = argument.split_once('=').map_or(&*argument, |(name, _)| name);
        CHOOSES_PACKAGES.contains(&name) || (argument.starts_with("-p") && argument.len() > 2)
    })
}

/// The arguments for cargo; those after `--` are for the test programs.
fn before_dashes(arguments: &[OsString]) -> impl Iterator<Item = &OsString> {
    arguments.iter().take_while(|argument| *argument != "--")
}

/// As a shell has it, a signal counts from 128.
fn code_of(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// To stderr: stdout belongs to cargo.
fn say(line: std::fmt::Arguments<'_>) {
    eprintln!("test-all: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cargo_gets(arguments: &[&str]) -> Vec<String> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        cargo_test(&arguments).get_args().map(|argument| argument.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_whole_workspace_is_tested_unless_packages_are_chosen() {
        assert_eq!(cargo_gets(&[]), ["test", "--workspace"]);
        assert_eq!(cargo_gets(&["claim", "--release"]), ["test", "--workspace", "claim", "--release"]);
        for chosen in
            [&["-p", "djob"][..], &["-pdjob"], &["--package", "djob"], &["--package=djob"], &["--all"]]
        {
            assert_eq!(cargo_gets(chosen)[1..], *chosen);
        }
    }

    #[test]
    fn what_follows_the_dashes_is_not_for_cargo() {
        assert_eq!(cargo_gets(&["--", "-p"]), ["test", "--workspace", "--", "-p"]);
    }
}
