//! `cargo run --bin mutants`: puts one mistake after the other into a copy of djob, and shows which test notices.

mod check;
mod copy;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use djob_mutants::{Mutant, all, root, table};
use indicatif::ProgressBar;

use check::{Verdict, check, unbroken};
use copy::Copy;

/// Puts one mistake after the other into a copy of djob, and shows which test notices.
///
/// Each file of mutants/patches names the test that must fail. All of them must pass on djob as it is, first. What cargo and
/// the tests say is in target/mutants/logs.
#[derive(Parser)]
struct Options {
    /// Only mutants whose names contain this; may be given more than once
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Names them, with what they break, and runs nothing
    #[arg(long)]
    list: bool,
    /// Prints the table of the book, and runs nothing
    #[arg(long)]
    table: bool,
    /// Seconds that the test of one mutant may take
    #[arg(long, value_name = "SECONDS", default_value_t = 240)]
    limit: u64,
}

fn main() -> ExitCode {
    run(&Options::parse()).unwrap_or_else(|error| {
        eprintln!("mutants: {error}");
        ExitCode::FAILURE
    })
}

fn run(options: &Options) -> io::Result<ExitCode> {
    let mut mutants = all()?;
    mutants.retain(|mutant| {
        options.only.is_empty() || options.only.iter().any(|name| mutant.name.contains(name))
    });
    if options.table {
        print!("{}", table(&mutants));
    } else if options.list {
        mutants.iter().for_each(|Mutant { name, breaks, .. }| println!("{name:<44} {breaks}"));
    } else if mutants.is_empty() {
        return Err(io::Error::other("no mutant has such a name: see --list"));
    } else {
        return break_it(&mutants, Duration::from_secs(options.limit));
    }
    Ok(ExitCode::SUCCESS)
}

fn break_it(mutants: &[Mutant], limit: Duration) -> io::Result<ExitCode> {
    let copy = Copy::of(root())?;
    let mut tests = BTreeMap::<&str, BTreeSet<&str>>::new();
    for Mutant { package, test, .. } in mutants {
        tests.entry(package).or_default().insert(test);
    }
    for (package, tests) in tests {
        let tests: Vec<&str> = tests.into_iter().collect();
        let (bad, took) =
            timed(&format!("{package} as it is"), || unbroken(&copy, package, &tests, limit * 5))?;
        if !bad.is_empty() {
            return Err(io::Error::other(format!("these tests must pass first:\n  {}", bad.join("\n  "))));
        }
        println!("{package} as it is: {} named tests pass ({took:.0?})", tests.len());
    }
    let (start, mut verdicts) = (Instant::now(), vec![]);
    for mutant in mutants {
        let (verdict, took) = timed(&mutant.name, || check(&copy, mutant, limit))?;
        copy.renew()?;
        println!("{:<44} {verdict:<10} {took:>4.0?}  -p {} {}", mutant.name, mutant.package, mutant.test);
        verdicts.push(verdict);
    }
    let caught = verdicts.iter().filter(|verdict| **verdict == Verdict::Caught).count();
    println!("\n{caught} of {} caught, {:.0?}", mutants.len(), start.elapsed());
    for (mutant, verdict) in mutants.iter().zip(&verdicts).filter(|(_, verdict)| **verdict != Verdict::Caught)
    {
        println!(
            "  {}: {verdict}; see {}",
            mutant.name,
            copy.logs.join(&mutant.name).with_extension("log").display()
        );
    }
    Ok(if caught == mutants.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Does `work` under a spinner, which is seen on a terminal only; returns how long it took, too.
fn timed<T>(what: &str, work: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Duration)> {
    let (spinner, start) = (ProgressBar::new_spinner().with_message(what.to_owned()), Instant::now());
    spinner.enable_steady_tick(Duration::from_millis(120));
    let done = work();
    spinner.finish_and_clear();
    Ok((done?, start.elapsed()))
}
