//! What came of a run, as a line of JSON, as a table, and as a page.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::args::Run;
use crate::checker::Verdict;
use crate::plan::Planned;

/// A run and what came of it.
#[derive(Serialize)]
pub(crate) struct Report {
    database: &'static str,
    seed: u64,
    jobs: u64,
    kills: u32,
    restarts: u32,
    lease_s: u64,
    /// How often each fault was planned: one that comes while there is nobody to feel it does not happen.
    planned: BTreeMap<&'static str, u64>,
    #[serde(flatten)]
    verdict: Verdict,
    took_ms: u64,
    held: bool,
}

impl Report {
    pub(crate) fn new(run: &Run, seed: u64, plan: &[Planned], verdict: Verdict, took: Duration) -> Self {
        let mut planned = BTreeMap::new();
        plan.iter().for_each(|one| *planned.entry(one.fault.name()).or_insert(0) += 1);
        let held = verdict.holds() && verdict.complaints.is_empty();
        Report {
            database: run.database.name(),
            seed,
            jobs: run.jobs,
            kills: run.kills,
            restarts: run.restarts,
            lease_s: run.lease,
            planned,
            verdict,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            held,
        }
    }

    /// Whether the promise held.
    pub(crate) fn held(&self) -> bool {
        self.held
    }

    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The figures, one to a line.
    fn figures(&self) -> Vec<(&'static str, String)> {
        let v = &self.verdict;
        let recovery = &v.recovery_ms;
        let count = |count: u64| count.to_string();
        vec![
            ("jobs enqueued", count(v.enqueued)),
            ("answer unknown", count(v.unknown)),
            ("completed", count(v.completed)),
            ("failed, as they must", count(v.failed - v.condemned.min(v.failed))),
            ("failed, killed three times as they ran", count(v.condemned)),
            ("cancelled", count(v.cancelled)),
            ("**lost**", count(v.lost)),
            ("**phantom**", count(v.phantom)),
            ("**accepted twice**", count(v.accepted_twice)),
            ("**ended wrong**", count(v.wrong_end)),
            ("**out of order**", count(v.out_of_order)),
            ("**unique keys broken**", count(v.keys_broken)),
            ("runs in vain, explained by a fault", count(v.duplicates_explained)),
            ("**runs in vain, unexplained**", count(v.duplicates_unexplained)),
            ("jobs of dead workers that were recovered", count(recovery.count)),
            ("and that were put back or aside first", count(v.ran_apart)),
            ("the longest of them", format!("{} ms", v.apart_ms_max)),
            ("killed while nobody could ask about them", count(v.unseen)),
            ("recovery, half of them within", format!("{} ms", recovery.p50)),
            ("nine tenths within", format!("{} ms", recovery.p90)),
            ("99 % within", format!("{} ms", recovery.p99)),
            ("the slowest", format!("{} ms", recovery.max)),
            ("the slowest, outages included", format!("{} ms", v.recovery_wall_ms.max)),
            ("**slower than promised**", count(v.slow_recoveries)),
        ]
    }

    /// For people at a terminal.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "{} on {}, seed {}, {:.0} s, lease {} s\n\n",
            if self.held { "The promise held" } else { "THE PROMISE DID NOT HOLD" },
            self.database,
            self.seed,
            self.took_ms as f64 / 1000.0,
            self.lease_s
        );
        for (what, figure) in self.figures() {
            let _ = writeln!(text, "  {:42} {figure:>10}", what.replace("**", ""));
        }
        let _ = writeln!(text, "\n  faults that happened: {}", self.fault_list());
        for complaint in &self.verdict.complaints {
            let _ = writeln!(text, "\n! {complaint}");
        }
        text
    }

    fn fault_list(&self) -> String {
        let one = |(name, count): (&String, &u64)| format!("{count} {}", name.replace('_', " "));
        self.verdict.faults.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// A page in Markdown.
    pub(crate) fn page(&self) -> String {
        let verdict = if self.held { "The promise held." } else { "**The promise did not hold.**" };
        let mut text = format!(
            "# Torture on {}\n\n{verdict} {} jobs, {} s, lease {} s; faults: {}.\n\n```console\n$ torture --database {} \
             --jobs {} --kills {} --restarts {} --lease {} --seed {}\n```\n\n| what | figure |\n|---|---:|\n",
            self.database,
            self.jobs,
            self.took_ms / 1000,
            self.lease_s,
            self.fault_list(),
            self.database,
            self.jobs,
            self.kills,
            self.restarts,
            self.lease_s,
            self.seed
        );
        for (what, figure) in self.figures() {
            let _ = writeln!(text, "| {what} | {figure} |");
        }
        for complaint in &self.verdict.complaints {
            let _ = writeln!(text, "\n- {complaint}");
        }
        text
    }
}
