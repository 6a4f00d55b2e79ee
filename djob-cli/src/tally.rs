//! The jobs of each queue, counted.

use std::collections::BTreeMap;
use std::time::Duration;

use djob::{Count, JobState};

/// How many jobs of a queue are in which state.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    jobs: Vec<(JobState, i64)>,
    /// How long the oldest ready job has waited.
    pub(crate) waited: Option<Duration>,
}

impl Tally {
    pub(crate) fn of(&self, state: JobState) -> i64 {
        self.jobs.iter().filter(|(other, _)| *other == state).map(|(_, jobs)| jobs).sum()
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.jobs.extend(&other.jobs);
        self.waited = self.waited.max(other.waited);
    }
}

/// The tally of each queue, by name.
pub(crate) fn by_queue(counts: Vec<Count>) -> BTreeMap<String, Tally> {
    let mut queues = BTreeMap::<String, Tally>::new();
    for count in counts {
        let waited =
            count.oldest.filter(|_| count.state == JobState::Ready).map(|oldest| count.seen_at - oldest);
        queues.entry(count.queue).or_default().add(&Tally { jobs: vec![(count.state, count.jobs)], waited });
    }
    queues
}
