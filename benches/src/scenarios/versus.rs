//! djob beside its peers: each runs in turns, so that whatever else the machine does meets them all.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use djob::BoxError;
use indicatif::ProgressBar;
use serde_json::Value;

use crate::args::Args;

/// What is compared.
struct Comparison {
    name: &'static str,
    /// What `bench.py` calls it.
    op: &'static str,
    jobs: u64,
    concurrency: u32,
    /// The fastest peers at it.
    peers: &'static [&'static str],
    /// On SQLite djob-bench runs this scenario itself.
    on_sqlite: Option<&'static str>,
}

const fn on_postgres(
    name: &'static str,
    op: &'static str,
    jobs: u64,
    concurrency: u32,
    peers: &'static [&'static str],
) -> Comparison {
    Comparison { name, op, jobs, concurrency, peers, on_sqlite: None }
}

const fn on_sqlite(name: &'static str, op: &'static str, scenario: &'static str) -> Comparison {
    let peers = &["apalis-sqlite:durable"];
    Comparison { name, op, jobs: 50_000, concurrency: 24, peers, on_sqlite: Some(scenario) }
}

const COMPARISONS: [Comparison; 7] = [
    on_postgres("work", "work", 200_000, 24, &["graphile_worker_rs:tuned", "graphile-worker:tuned"]),
    on_postgres(
        "enqueue_bulk",
        "enqueue_bulk",
        200_000,
        24,
        &["underway", "apalis-postgres:tuned", "graphile-worker:tuned"],
    ),
    on_postgres("enqueue_single", "enqueue_single", 4000, 1, &["underway", "apalis-postgres:tuned"]),
    on_postgres("enqueue_50", "enqueue_single", 50_000, 50, &["underway", "apalis-postgres:tuned"]),
    on_postgres("latency", "latency", 300, 24, &["apalis-postgres", "underway", "graphile-worker:tuned"]),
    on_sqlite("sqlite-work", "work", "work"),
    on_sqlite("sqlite-enqueue_bulk", "enqueue_bulk", "enqueue-bulk"),
];

/// The runs of one program.
type Runs = BTreeMap<String, Vec<Value>>;

/// Runs djob and its peers `--rounds` times in turns; prints medians, ranges and ratios.
pub(crate) fn versus(args: &Args) -> Result<(), BoxError> {
    let names = COMPARISONS.map(|comparison| comparison.name).join(", ");
    let known = COMPARISONS.into_iter().find(|comparison| comparison.name == args.op);
    let Comparison { name, op, jobs, concurrency, peers, on_sqlite } =
        known.ok_or_else(|| format!("--op is one of {names}"))?;
    let against: Vec<&str> = if args.against.is_empty() {
        peers.to_vec()
    } else {
        args.against.iter().map(String::as_str).collect()
    };
    let bench = args.peers.join("bench.py");
    for peer in against.iter().copied().chain(on_sqlite.is_none().then_some("djob")) {
        let name = peer.split(':').next().unwrap_or(peer);
        call(Command::new(&bench).args(["build", name]))?;
    }
    let mut runs = Runs::new();
    let bar = ProgressBar::new(u64::from(args.rounds) * (against.len() as u64 + 1));
    let task = [op, &jobs.to_string(), &concurrency.to_string()];
    for _ in 0..args.rounds {
        let own = match on_sqlite {
            Some(scenario) => call(Command::new(std::env::current_exe()?).args([
                scenario,
                "--sqlite",
                "--json",
                "--jobs",
                task[1],
                "--concurrency",
                task[2],
            ]))?,
            None => peer("djob", &bench, &task)?,
        };
        runs.entry("djob".into()).or_default().push(own);
        bar.inc(1);
        for name in &against {
            runs.entry((*name).to_owned()).or_default().push(peer(name, &bench, &task)?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    report(args, name, &runs);
    Ok(())
}

fn peer(name: &str, bench: &Path, task: &[&str; 3]) -> Result<Value, BoxError> {
    call(Command::new(bench).args(["run", name]).args(task).arg("durable"))
}

/// Runs a program; the first line of JSON that it prints is its result.
fn call(command: &mut Command) -> Result<Value, BoxError> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    command.envs(repository.map(|path| ("DJOB_REPO", path))).env("PEERS_QUIET", "1").stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if !output.status.success() {
        return Err(format!("{command:?} has failed: {}", output.status).into());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().find_map(|line| serde_json::from_str(line).ok()).unwrap_or(Value::Null))
}

/// The figure of a run that counts: jobs a second, or the median latency.
fn figure(op: &str, run: &Value) -> f64 {
    let name = if op == "latency" { "p50_ms" } else { "jobs_per_s" };
    run.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

fn report(args: &Args, op: &str, runs: &Runs) {
    if args.json {
        for run in runs.values().flatten() {
            println!("{run}");
        }
        return;
    }
    let sorted = |name: &str| {
        let mut figures: Vec<f64> = runs.get(name).into_iter().flatten().map(|run| figure(op, run)).collect();
        figures.sort_by(f64::total_cmp);
        figures
    };
    let median = |figures: &[f64]| figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN);
    let own = median(&sorted("djob"));
    let unit = if op == "latency" { "p50 ms" } else { "jobs/s" };
    println!("| {op} | {unit}, median | range | djob is | p99 ms | server CPU us/job | WAL bytes/job |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for (name, all) in runs {
        let figures = sorted(name);
        let (middle, digits) = (median(&figures), if op == "latency" { 2 } else { 0 });
        let (low, high) = (figures.first().unwrap_or(&f64::NAN), figures.last().unwrap_or(&f64::NAN));
        let ratio = if op == "latency" { middle / own } else { own / middle };
        let of = |name: &str| {
            let mut found: Vec<f64> = all.iter().filter_map(|run| run.get(name)?.as_f64()).collect();
            found.sort_by(f64::total_cmp);
            found.get(found.len() / 2).map_or("-".to_owned(), |median| format!("{median:.1}"))
        };
        let (p99, cpu, wal) = (of("p99_ms"), of("pg_cpu_us_per_job"), of("wal_bytes_per_job"));
        println!(
            "| {name} | {middle:.digits$} | {low:.digits$} to {high:.digits$} | {ratio:.2}x | {p99} | {cpu} | {wal} |"
        );
    }
}
