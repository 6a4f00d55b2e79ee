//! The plan of faults: what happens to whom, and when. It follows from the seed and the options alone.

use std::fmt;
use std::time::Duration;

use crate::args::{Database, Run};
use crate::dice::Dice;

/// A fault, and when it comes after the start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    pub(crate) after: Duration,
    pub(crate) fault: Fault,
}

/// What goes wrong. Workers are numbered by their place, which a new process takes when the old one has died.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// SIGKILL for a worker.
    Kill { worker: usize },
    /// SIGSTOP for a worker, and SIGCONT after its lease.
    Stop { worker: usize, lasts: Duration },
    /// SIGTERM for a worker: a deploy.
    Replace { worker: usize },
    /// SIGKILL for the process that enqueues.
    KillEnqueuer,
    /// A worker's wire to the database is cut.
    Cut { worker: usize, lasts: Duration },
    /// It stays open, but nothing comes through.
    Silence { worker: usize, lasts: Duration },
    /// It is slow.
    Slow { worker: usize, lasts: Duration, delay: Duration },
    /// Its connections are reset.
    Reset { worker: usize },
    /// The database ends about half of all connections itself.
    DropConnections,
    /// The database is stopped and started.
    Restart { crash: bool },
    /// The database takes no writes.
    ReadOnly { lasts: Duration },
    /// The database stands still, as on a disk that does not answer.
    Stall { lasts: Duration },
    /// Somebody else has all of its connections.
    Crowd { lasts: Duration },
    /// Its tables are changed.
    Migrate,
    /// Somebody else holds SQLite's write lock.
    HoldLock { lasts: Duration },
    /// Every process dies at once.
    KillAll,
}

impl Fault {
    /// A word for the ledger and the report.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Fault::Kill { .. } => "kill",
            Fault::Stop { .. } => "stop",
            Fault::Replace { .. } => "replace",
            Fault::KillEnqueuer => "kill_enqueuer",
            Fault::Cut { .. } => "cut",
            Fault::Silence { .. } => "silence",
            Fault::Slow { .. } => "slow",
            Fault::Reset { .. } => "reset",
            Fault::DropConnections => "drop_connections",
            Fault::Restart { crash: true } => "crash",
            Fault::Restart { crash: false } => "restart",
            Fault::ReadOnly { .. } => "read_only",
            Fault::Stall { .. } => "stall",
            Fault::Crowd { .. } => "crowd",
            Fault::Migrate => "migrate",
            Fault::HoldLock { .. } => "hold_lock",
            Fault::KillAll => "kill_all",
        }
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:9.3} s  {:?}", self.after.as_secs_f64(), self.fault)
    }
}

/// Makes the plan.
pub(crate) fn plan(run: &Run, seed: u64) -> Vec<Planned> {
    let mut dice = Dice::new(seed);
    let (length, lease, workers) = (run.length(), run.lease(), u64::from(run.workers));
    let mut plan = vec![];
    // The first second belongs to the start; the last ones must be survived, too.
    let mut add = |times: u32, make: &mut dyn FnMut(&mut Dice) -> Fault| {
        for _ in 0..times {
            let after = dice.within(Duration::from_secs(1)..length.max(Duration::from_secs(2)));
            let fault = make(&mut dice);
            plan.push(Planned { after, fault });
        }
    };
    let worker = |dice: &mut Dice| dice.below(workers) as usize;
    let some = |kills: u32, share: u32| kills.div_ceil(share);
    add(run.kills, &mut |dice| Fault::Kill { worker: worker(dice) });
    // Beyond the lease: the others have taken its jobs when it comes back.
    let beyond = lease * 5 / 4..lease * 2;
    add(some(run.kills, 5), &mut |dice| Fault::Stop {
        worker: worker(dice),
        lasts: dice.within(beyond.clone()),
    });
    add(some(run.kills, 5), &mut |dice| Fault::Replace { worker: worker(dice) });
    add(some(run.kills, 10), &mut |_| Fault::KillEnqueuer);
    let secs = Duration::from_secs;
    match run.database {
        Database::Sqlite => {
            add(run.restarts, &mut |_| Fault::KillAll);
            let lasts = secs(1)..secs(7);
            add(some(run.kills, 4), &mut |dice| Fault::HoldLock { lasts: dice.within(lasts.clone()) });
        }
        Database::Postgres | Database::Mariadb => {
            let mut crash = dice_of(seed).percent(50);
            add(run.restarts, &mut |_| {
                crash = !crash;
                Fault::Restart { crash }
            });
            let short = secs(1)..lease * 3 / 2;
            add(some(run.kills, 5), &mut |dice| Fault::Cut {
                worker: worker(dice),
                lasts: dice.within(short.clone()),
            });
            add(some(run.kills, 5), &mut |dice| Fault::Silence {
                worker: worker(dice),
                lasts: dice.within(short.clone()),
            });
            add(some(run.kills, 5), &mut |dice| Fault::Slow {
                worker: worker(dice),
                lasts: dice.within(secs(1)..secs(8)),
                delay: dice.within(Duration::from_millis(5)..Duration::from_millis(300)),
            });
            add(some(run.kills, 2), &mut |dice| Fault::Reset { worker: worker(dice) });
            add(some(run.kills, 2), &mut |_| Fault::DropConnections);
            let stall = secs(1)..secs(8);
            add(some(run.kills, 10), &mut |dice| Fault::Stall { lasts: dice.within(stall.clone()) });
            add(some(run.restarts, 2), &mut |dice| Fault::Crowd { lasts: dice.within(secs(1)..secs(8)) });
        }
    }
    add(some(run.kills, 10), &mut |_| Fault::Migrate);
    if run.database == Database::Postgres {
        add(some(run.restarts, 2), &mut |dice| Fault::ReadOnly { lasts: dice.within(secs(1)..secs(5)) });
    }
    plan.sort_by_key(|planned| planned.after);
    plan
}

/// Other numbers of the same seed.
fn dice_of(seed: u64) -> Dice {
    Dice::new(!seed)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Cli;

    fn run(args: &[&str]) -> Run {
        Cli::try_parse_from(std::iter::once(&"torture").chain(args))
            .map(|cli| cli.run)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_same_seed_makes_the_same_plan_and_another_seed_another_one() {
        let run = run(&["--database", "postgres", "--kills", "40"]);
        assert_eq!(plan(&run, 7), plan(&run, 7));
        assert_ne!(plan(&run, 7), plan(&run, 8));
    }

    #[test]
    fn the_plan_has_as_many_kills_and_restarts_as_were_asked_for() {
        for database in ["sqlite", "postgres", "mariadb"] {
            let run = run(&["--database", database, "--kills", "17", "--restarts", "3"]);
            let plan = plan(&run, 1);
            let count = |names: &[&str]| plan.iter().filter(|at| names.contains(&at.fault.name())).count();
            assert_eq!(count(&["kill"]), 17);
            assert_eq!(count(&["restart", "crash", "kill_all"]), 3);
        }
    }
}
