//! What a worker serves, and how: checked before anything starts.

use std::time::Duration;

use crate::error::WorkerError;
use crate::job::name;

/// How many jobs a worker runs at once when nobody says.
pub const CONCURRENCY: u32 = 20;
/// The most jobs a worker runs at once.
pub const CONCURRENCY_MAX: u32 = 10_000;
/// How long an attempt may run when its kind does not say.
pub const TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How often a worker says that it lives.
pub const BEAT: Duration = Duration::from_secs(6);
/// How long a worker may be silent before others take its jobs.
pub const LEASE: Duration = Duration::from_secs(30);
/// The longest pause between two looks at the database while others tell the worker when there is something to do.
pub const POLL: Duration = Duration::from_secs(30);
/// The same while nobody does: the database cannot be listened to, as through a pooler.
pub const POLL_ALONE: Duration = Duration::from_secs(5);
/// How long jobs may finish on their own once the worker is told to stop.
pub const DRAIN: Duration = Duration::from_secs(25);
/// How long they have once they were told to stop themselves.
pub const GRACE: Duration = Duration::from_secs(5);

/// A set of queues with slots of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PoolConfig {
    /// Empty is every queue.
    pub(crate) queues: Vec<String>,
    /// Never these.
    pub(crate) except: Vec<String>,
    pub(crate) concurrency: u32,
}

impl PoolConfig {
    pub(crate) fn serves(&self, queue: &str) -> bool {
        let listed = |queues: &[String]| queues.iter().any(|name| name == queue);
        (self.queues.is_empty() || listed(&self.queues)) && !listed(&self.except)
    }

    /// Reads `mail,default:8`: names separated by commas, `*` or nothing for all queues, `-name` for all but this one,
    /// then how many jobs at once.
    pub(crate) fn parse(text: &str, concurrency: u32) -> Result<Self, WorkerError> {
        let (names, count) = match text.rsplit_once(':') {
            Some((names, count)) if count.trim().parse::<u32>().is_ok() => {
                (names, count.trim().parse().unwrap_or(0))
            }
            _ => (text, concurrency),
        };
        let mut pool = PoolConfig { queues: vec![], except: vec![], concurrency: count };
        for entry in names.split(',').map(str::trim).filter(|entry| !matches!(*entry, "" | "*")) {
            let (list, queue) = match entry.strip_prefix('-') {
                Some(queue) => (&mut pool.except, queue),
                None => (&mut pool.queues, entry),
            };
            name::check("queue", queue).map_err(|error| WorkerError::Setting(error.to_string()))?;
            list.push(queue.to_owned());
        }
        if !(1..=CONCURRENCY_MAX).contains(&pool.concurrency) {
            return Err(WorkerError::Setting(format!(
                "the pool \"{text}\" runs {count} jobs at once: give a number from 1 to {CONCURRENCY_MAX}"
            )));
        }
        Ok(pool)
    }
}

/// Everything a worker is told.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) name: String,
    pub(crate) pools: Vec<PoolConfig>,
    pub(crate) priorities: (i16, i16),
    pub(crate) beat: Duration,
    pub(crate) lease: Duration,
    /// The longest pause between two looks at the database, if the user says.
    pub(crate) poll: Option<Duration>,
    /// How long running jobs may finish on their own once the worker drains.
    pub(crate) drain: Duration,
    /// How long they have after they were told to stop.
    pub(crate) grace: Duration,
    pub(crate) timeout: Duration,
    pub(crate) exit_on_complete: bool,
    pub(crate) read_ahead: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            name: String::new(),
            pools: vec![],
            priorities: (i16::MIN, i16::MAX),
            beat: BEAT,
            lease: LEASE,
            poll: None,
            drain: DRAIN,
            grace: GRACE,
            timeout: TIMEOUT,
            exit_on_complete: false,
            read_ahead: None,
        }
    }
}

impl Config {
    pub(crate) fn serves(&self, queue: &str) -> bool {
        self.pools.iter().any(|pool| pool.serves(queue))
    }

    pub(crate) fn concurrency(&self) -> u32 {
        self.pools.iter().map(|pool| pool.concurrency).sum()
    }

    pub(crate) fn check(&self) -> Result<(), WorkerError> {
        let refuse = |why: String| Err(WorkerError::Setting(why));
        let (min, max) = self.priorities;
        if min > max {
            return refuse(format!(
                "no job has a priority from {min} to {max}: the first number must not be the greater"
            ));
        }
        if self.beat.is_zero() || self.lease < self.beat * 4 {
            return refuse(format!(
                "a lease of {:?} is too short for a heartbeat every {:?}: it must outlast four of them",
                self.lease, self.beat
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_names_and_a_number() {
        let parse = |text| PoolConfig::parse(text, 5).unwrap();
        assert_eq!(parse("mail:4").concurrency, 4);
        assert_eq!(parse("default, low:8").queues, ["default", "low"]);
        assert_eq!(parse("*").concurrency, 5);
        assert!(parse("*").serves("anything"));
        assert!(!parse("-slow:2").serves("slow"));
        assert!(parse("-slow:2").serves("fast"));
        assert!(!parse("mail").serves("default"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words() {
        let refusal = |text| PoolConfig::parse(text, 5).unwrap_err().to_string();
        assert_eq!(
            refusal("mail:0"),
            "the pool \"mail:0\" runs 0 jobs at once: give a number from 1 to 10000"
        );
        assert!(refusal("Mail:1").contains("is not a name for a queue"));
        let backwards = Config { priorities: (5, 1), ..Config::default() };
        assert!(backwards.check().is_err());
        assert!(Config::default().check().is_ok());
    }
}
