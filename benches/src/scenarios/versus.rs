//! djob beside its peers: each runs in turns, so that whatever else the machine does meets them all.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use djob::BoxError;
use indicatif::ProgressBar;
use serde_json::Value;

use crate::args::Args;

/// What is compared by default: the operation, how many jobs, how many at once, and the fastest peers at it.
const OPS: [(&str, u64, u32, &[&str]); 5] = [
    ("work", 200_000, 24, &["graphile_worker_rs:tuned", "graphile-worker:tuned"]),
    ("enqueue_bulk", 200_000, 24, &["underway", "apalis-postgres:tuned", "graphile-worker:tuned"]),
    ("enqueue_single", 4000, 1, &["underway", "apalis-postgres:tuned"]),
    ("latency", 300, 24, &["apalis-postgres", "underway", "graphile-worker:tuned"]),
    ("sqlite-work", 50_000, 24, &["apalis-sqlite:durable"]),
];

/// The runs of one program.
type Runs = BTreeMap<String, Vec<Value>>;

/// Runs djob and its peers `--rounds` times in turns; prints medians, ranges and ratios.
pub(crate) fn versus(args: &Args) -> Result<(), BoxError> {
    let names = OPS.map(|op| op.0).join(", ");
    let known = OPS.iter().find(|op| op.0 == args.op);
    let (op, jobs, concurrency, peers) = known.ok_or_else(|| format!("--op is one of {names}"))?;
    let on_sqlite = op.strip_prefix("sqlite-");
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
    let task = [on_sqlite.unwrap_or(op), &jobs.to_string(), &concurrency.to_string()];
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
    report(args, op, &runs);
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
    println!("| {op} | {unit}, median | range | djob is | server CPU us/job | WAL bytes/job |");
    println!("|---|---:|---:|---:|---:|---:|");
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
        let (cpu, wal) = (of("pg_cpu_us_per_job"), of("wal_bytes_per_job"));
        println!(
            "| {name} | {middle:.digits$} | {low:.digits$} to {high:.digits$} | {ratio:.2}x | {cpu} | {wal} |"
        );
    }
}
