//! What a run came to: one line, for people or as JSON.

use std::time::Duration;

use crate::args::Args;
use crate::cost::Cost;
use crate::database::Database;

/// One result.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(crate) struct Line {
    pub(crate) peer: &'static str,
    pub(crate) version: &'static str,
    pub(crate) database: &'static str,
    pub(crate) op: String,
    pub(crate) jobs: u64,
    pub(crate) concurrency: u32,
    pub(crate) processes: u32,
    pub(crate) seconds: f64,
    pub(crate) jobs_per_s: f64,
    #[serde(flatten)]
    pub(crate) times: Option<Times>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) db_cpu_us_per_job: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wal_bytes_per_job: Option<f64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) settings: String,
    #[serde(skip)]
    pub(crate) json: bool,
}

/// How times are distributed, in milliseconds.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Times {
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Times {
    pub(crate) fn of(mut times_ns: Vec<u64>) -> Option<Times> {
        times_ns.sort_unstable();
        let last = times_ns.len().checked_sub(1)?;
        let at = |share: usize| times_ns[(last * share).div_ceil(1000)] as f64 / 1e6;
        Some(Times { p50_ms: at(500), p95_ms: at(950), p99_ms: at(990), max_ms: at(1000) })
    }
}

impl Line {
    /// A line for `jobs` jobs in `took`, which cost the database this much.
    pub(crate) fn new(
        args: &Args,
        database: &Database,
        jobs: u64,
        took: Duration,
        cost: Option<Cost>,
    ) -> Self {
        let per_job = |total: f64| total / jobs.max(1) as f64;
        Line {
            peer: "djob",
            version: env!("CARGO_PKG_VERSION"),
            database: database.client.storage().database(),
            op: args.scenario.name(),
            jobs,
            concurrency: args.concurrency.unwrap_or(djob::limits::CONCURRENCY),
            processes: args.processes,
            seconds: took.as_secs_f64(),
            jobs_per_s: jobs as f64 / took.as_secs_f64(),
            db_cpu_us_per_job: cost.map(|cost| per_job(cost.cpu_us)),
            wal_bytes_per_job: cost.map(|cost| per_job(cost.wal_bytes)),
            ..Line::default()
        }
    }

    /// Writes it to standard output.
    pub(crate) fn print(&self) {
        if self.json {
            println!("{}", serde_json::to_string(self).unwrap_or_default());
            return;
        }
        let Line { op, database, jobs, seconds, jobs_per_s, settings, .. } = self;
        let mut text =
            format!("{op} {database} {settings}: {jobs} jobs in {seconds:.2} s, {jobs_per_s:.0} jobs/s");
        if let Some(Times { p50_ms, p95_ms, p99_ms, max_ms }) = self.times {
            text.push_str(&format!(", p50 {p50_ms:.2} p95 {p95_ms:.2} p99 {p99_ms:.2} max {max_ms:.2} ms"));
        }
        if let (Some(cpu), Some(wal)) = (self.db_cpu_us_per_job, self.wal_bytes_per_job) {
            text.push_str(&format!(", database {cpu:.1} us and {wal:.0} bytes of WAL a job"));
        }
        println!("{text}");
    }
}
