//! Open claims: which of their jobs have started and ended, and when there is something to settle. No I/O.
//!
//! A batch is settled whole when its last job has ended. One that is still open after a quarter of a second is *split*: what
//! runs gets claim rows of its own, what has ended is settled, and what has not begun goes back.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::quarantine;
use crate::job::{Claim, ClaimKey, ClaimedJob, Settlement};
use crate::storage::{ClaimEnd, Ended, Still};

/// How long a batch may stay open.
pub(crate) const OPEN_MAX: Duration = Duration::from_millis(250);

/// A claim in the hands of this worker.
#[derive(Debug)]
pub(crate) struct OpenClaim {
    fence: Uuid,
    opened: Instant,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    jobs: Vec<Slot>,
    left: usize,
    ended: Vec<Ended>,
    rows: Rows,
}

/// Where one job of the claim stands.
#[derive(Debug)]
enum Slot {
    Held(Arc<ClaimedJob>),
    Running(Arc<ClaimedJob>),
    Over,
}

/// Which rows stand for the claim in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    /// One for the batch.
    Batch,
    /// It is being split; what ends meanwhile is kept back.
    Splitting,
    /// One for each job.
    Single,
    /// None: the claim is lost.
    Lost,
}

/// A job of a claim, on its way to a slot.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) claim: Arc<OpenClaim>,
    index: usize,
}

impl OpenClaim {
    /// Opens a claim; returns a run for each of its jobs. A single job that already has its own row stays as it is.
    pub(crate) fn open(claim: Claim) -> Vec<Run> {
        let rows = if claim.key.row == claim.key.fence { Rows::Batch } else { Rows::Single };
        let jobs: Vec<Slot> = claim.jobs.into_iter().map(|job| Slot::Held(Arc::new(job))).collect();
        let left = jobs.len();
        let progress = Progress { jobs, left, ended: Vec::with_capacity(left), rows };
        let open =
            OpenClaim { fence: claim.key.fence, opened: Instant::now(), progress: Mutex::new(progress) };
        let claim = Arc::new(open);
        (0..left).map(|index| Run { claim: claim.clone(), index }).collect()
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn single(&self, ended: Ended) -> ClaimEnd {
        let key = ClaimKey { row: ended.job.id.0, fence: self.fence };
        ClaimEnd { key, ended: vec![ended], still: vec![] }
    }

    pub(crate) fn fence(&self) -> Uuid {
        self.fence
    }

    /// Whether the batch has been open for too long.
    pub(crate) fn is_slow(&self) -> bool {
        self.opened.elapsed() >= OPEN_MAX && self.progress().rows == Rows::Batch
    }

    /// Whether nothing of it is left to be done here.
    pub(crate) fn is_over(&self) -> bool {
        let progress = self.progress();
        progress.rows == Rows::Lost || (progress.left == 0 && progress.rows != Rows::Splitting)
    }

    /// Whether it is being split: outcomes may be kept back in it.
    pub(crate) fn is_splitting(&self) -> bool {
        self.progress().rows == Rows::Splitting
    }

    /// Hands back what has waited for its turn for too long, of a claim whose jobs have rows of their own.
    pub(crate) fn hand_back(&self) -> Vec<ClaimEnd> {
        let mut progress = self.progress();
        if progress.rows != Rows::Single || self.opened.elapsed() < OPEN_MAX {
            return vec![];
        }
        let mut back = vec![];
        for slot in &mut progress.jobs {
            if matches!(slot, Slot::Held(_))
                && let Slot::Held(job) = mem::replace(slot, Slot::Over)
            {
                let settlement = match job.meta.is_on_its_last_chance() {
                    true => Settlement::Postpone { delay: quarantine::BACK },
                    false => Settlement::Release,
                };
                back.push(self.single(not_begun(job, settlement)));
            }
        }
        progress.left -= back.len();
        back
    }

    /// Begins to split the batch. What has not begun is handed back unless `keep_held`.
    pub(crate) fn split(&self, keep_held: bool) -> Option<ClaimEnd> {
        let mut progress = self.progress();
        if progress.rows != Rows::Batch || progress.left == 0 {
            return None;
        }
        let mut end = ClaimEnd {
            key: ClaimKey { row: self.fence, fence: self.fence },
            ended: mem::take(&mut progress.ended),
            still: vec![],
        };
        let mut left = 0;
        for slot in &mut progress.jobs {
            match slot {
                Slot::Running(job) => end.still.push(Still { job: job.clone(), started: true }),
                Slot::Held(job) if keep_held => end.still.push(Still { job: job.clone(), started: false }),
                Slot::Held(job) => {
                    end.ended.push(not_begun(job.clone(), Settlement::Release));
                    *slot = Slot::Over;
                    continue;
                }
                Slot::Over => continue,
            }
            left += 1;
        }
        progress.left = left;
        progress.rows = Rows::Splitting;
        Some(end)
    }

    /// The split is written, or refused; returns what ended meanwhile.
    pub(crate) fn was_split(&self, accepted: bool) -> Vec<ClaimEnd> {
        let mut progress = self.progress();
        if progress.rows != Rows::Splitting {
            return vec![];
        }
        progress.rows = if accepted { Rows::Single } else { Rows::Lost };
        let ended = mem::take(&mut progress.ended);
        if accepted { ended.into_iter().map(|ended| self.single(ended)).collect() } else { vec![] }
    }
}

/// A job that goes back without having begun.
fn not_begun(job: Arc<ClaimedJob>, settlement: Settlement) -> Ended {
    Ended { job, settlement, ran: Duration::ZERO, finished_itself: false }
}

impl Run {
    /// The fence of its claim.
    pub(crate) fn fence(&self) -> Uuid {
        self.claim.fence
    }

    /// The job, if it may still begin here; marks it as running.
    pub(crate) fn begin(&self) -> Option<(Arc<ClaimedJob>, ClaimKey)> {
        let mut progress = self.claim.progress();
        if progress.rows == Rows::Lost {
            return None;
        }
        let row = |rows, job: &ClaimedJob| if rows == Rows::Batch { self.claim.fence } else { job.id.0 };
        let rows = progress.rows;
        let slot = progress.jobs.get_mut(self.index)?;
        let Slot::Held(job) = slot else { return None };
        let job = job.clone();
        *slot = Slot::Running(job.clone());
        Some((job.clone(), ClaimKey { row: row(rows, &job), fence: self.claim.fence }))
    }

    /// The job, if it has not begun or been handed back.
    pub(crate) fn held(&self) -> Option<Arc<ClaimedJob>> {
        match self.claim.progress().jobs.get(self.index) {
            Some(Slot::Held(job)) => Some(job.clone()),
            _ => None,
        }
    }

    /// Puts the arguments in that were fetched from apart.
    pub(crate) fn replace(&self, job: ClaimedJob) {
        if let Some(slot @ Slot::Held(_)) = self.claim.progress().jobs.get_mut(self.index) {
            *slot = Slot::Held(Arc::new(job));
        }
    }

    /// The job has ended; returns what there is to settle now.
    pub(crate) fn end(
        &self,
        settlement: Settlement,
        ran: Duration,
        finished_itself: bool,
    ) -> Option<ClaimEnd> {
        let mut progress = self.claim.progress();
        let slot = progress.jobs.get_mut(self.index)?;
        let (Slot::Running(job) | Slot::Held(job)) = mem::replace(slot, Slot::Over) else { return None };
        let ended = Ended { job, settlement, ran, finished_itself };
        progress.left -= 1;
        match progress.rows {
            Rows::Single => return Some(self.claim.single(ended)),
            Rows::Lost => return None,
            Rows::Batch | Rows::Splitting => progress.ended.push(ended),
        }
        if progress.rows == Rows::Splitting || progress.left > 0 {
            return None;
        }
        let key = ClaimKey { row: self.claim.fence, fence: self.claim.fence };
        Some(ClaimEnd { key, ended: mem::take(&mut progress.ended), still: vec![] })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    use std::collections::BTreeMap;

    use crate::clock::Timestamp;
    use crate::job::{JobId, Meta};

    fn job() -> ClaimedJob {
        ClaimedJob {
            id: JobId::new(),
            place: 0,
            kind: "k".into(),
            queue: "q".into(),
            priority: 0,
            run_at: Timestamp::EPOCH,
            attempt: 0,
            max_attempts: 25,
            args: None,
            args_apart: false,
            meta: Meta::default(),
        }
    }

    fn open(jobs: usize) -> Vec<Run> {
        let fence = Uuid::now_v7();
        OpenClaim::open(Claim {
            key: ClaimKey { row: fence, fence },
            jobs: (0..jobs).map(|_| job()).collect(),
            started: false,
        })
    }

    fn end(run: &Run) -> Option<ClaimEnd> {
        run.end(Settlement::Release, Duration::ZERO, false)
    }

    #[test]
    fn a_batch_is_settled_whole_when_its_last_job_ends() {
        let runs = open(3);
        runs.iter().for_each(|run| assert!(run.begin().is_some()));
        assert!(end(&runs[2]).is_none());
        assert!(end(&runs[0]).is_none());
        let whole = end(&runs[1]).unwrap();
        assert_eq!((whole.ended.len(), whole.still.len()), (3, 0));
        assert_eq!(whole.key.row, whole.key.fence);
        assert!(runs[0].claim.is_over());
    }

    #[test]
    fn a_split_keeps_what_runs_settles_what_ended_and_hands_back_what_has_not_begun() {
        let runs = open(3);
        let (running, _) = runs[0].begin().unwrap();
        runs[1].begin().unwrap();
        assert!(end(&runs[1]).is_none());
        let split = runs[0].claim.split(false).unwrap();
        assert_eq!(split.still, [Still { job: running.clone(), started: true }]);
        assert_eq!(split.ended.len(), 2);
        assert!(runs[2].begin().is_none(), "what was handed back does not begin here");
        assert!(end(&runs[0]).is_none(), "what ends while the split is written is kept back");
        let kept_back = runs[0].claim.was_split(true);
        assert_eq!(kept_back[0].key.row, running.id.0);
        assert!(runs[0].claim.is_over());
    }

    #[test]
    fn after_a_split_each_job_is_settled_alone_under_the_same_fence() {
        let runs = open(2);
        let (_, key) = runs[0].begin().unwrap();
        runs[0].claim.split(true).unwrap();
        assert!(runs[0].claim.was_split(true).is_empty());
        let single = end(&runs[0]).unwrap();
        assert_eq!(single.key.fence, key.fence);
        assert_ne!(single.key.row, key.row);
        assert!(runs[1].begin().is_some());
    }

    #[test]
    fn a_lost_claim_settles_nothing_and_begins_nothing() {
        let runs = open(2);
        runs[0].begin().unwrap();
        runs[0].claim.split(true).unwrap();
        assert!(runs[0].claim.was_split(false).is_empty());
        assert!(end(&runs[0]).is_none());
        assert!(runs[1].begin().is_none());
    }

    /// What the database knows of a claim: which row holds which jobs, and how often each was settled. It takes in whole
    /// rows only, and panics at everything else.
    struct Rooms {
        fence: Uuid,
        rows: BTreeMap<Uuid, Vec<JobId>>,
        settled: BTreeMap<JobId, u32>,
    }

    impl Rooms {
        fn settle(&mut self, end: &ClaimEnd) {
            assert_eq!(end.key.fence, self.fence, "every write shows the fence");
            let row = self.rows.remove(&end.key.row).expect("the row stands");
            let still: Vec<JobId> = end.still.iter().map(|still| still.job.id).collect();
            let ended: Vec<JobId> = end.ended.iter().map(|ended| ended.job.id).collect();
            for job in &row {
                let times = still.iter().chain(&ended).filter(|other| *other == job).count();
                let settled = self.settled.get(job).copied().unwrap_or(0) as usize;
                assert_eq!(
                    times + settled,
                    1,
                    "each job of a row either stays or ends, unless it has ended before"
                );
            }
            assert_eq!(still.len() + ended.len(), row.len(), "no other job is spoken of");
            ended.iter().for_each(|job| *self.settled.entry(*job).or_default() += 1);
            self.rows.extend(still.iter().map(|job| (job.0, vec![*job])));
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Begin(usize),
        End(usize),
        GiveBack(usize),
        Split { keep_held: bool },
        Answer { accepted: bool },
    }

    fn steps(jobs: usize) -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => (0..jobs).prop_map(Step::Begin),
            6 => (0..jobs).prop_map(Step::End),
            1 => (0..jobs).prop_map(Step::GiveBack),
            2 => any::<bool>().prop_map(|keep_held| Step::Split { keep_held }),
            2 => prop::bool::weighted(0.9).prop_map(|accepted| Step::Answer { accepted }),
        ];
        prop::collection::vec(step, 0..40)
    }

    /// Takes the steps one after the other, then ends what is left; returns how often each job was settled, and whether the
    /// claim was lost.
    fn play(runs: &[Run], steps: Vec<Step>) -> (Vec<u32>, bool) {
        let claim = runs[0].claim.clone();
        let ids: Vec<JobId> = runs.iter().map(|run| run.held().unwrap().id).collect();
        let rows = BTreeMap::from([(claim.fence, ids.clone())]);
        let mut rooms = Rooms { fence: claim.fence, rows, settled: BTreeMap::new() };
        let (mut begun, mut split, mut lost) = (vec![false; runs.len()], None::<ClaimEnd>, false);
        let last = (0..runs.len()).map(Step::GiveBack).chain((0..runs.len()).map(Step::End));
        let answer = Step::Answer { accepted: true };
        for step in steps.into_iter().chain(last).chain([answer]) {
            match step {
                Step::Begin(n) => {
                    let began = runs[n].begin();
                    assert!(!(lost && began.is_some()), "nothing begins under a lost claim");
                    assert!(!(begun[n] && began.is_some()), "a job begins once");
                    begun[n] |= began.is_some();
                }
                Step::End(n) if begun[n] => end(&runs[n]).iter().for_each(|end| rooms.settle(end)),
                Step::GiveBack(n) if runs[n].held().is_some() => {
                    end(&runs[n]).iter().for_each(|end| rooms.settle(end));
                }
                Step::Split { keep_held } => {
                    let parts = claim.split(keep_held);
                    assert!(parts.is_none() || split.is_none(), "one split at a time");
                    split = parts.or(split);
                }
                Step::Answer { accepted } => {
                    let Some(parts) = split.take() else { continue };
                    if accepted {
                        rooms.settle(&parts);
                    }
                    lost |= !accepted;
                    claim.was_split(accepted).iter().for_each(|end| rooms.settle(end));
                }
                Step::End(_) | Step::GiveBack(_) => {}
            }
        }
        assert!(claim.is_over(), "nothing is left to be done");
        assert!(lost || rooms.rows.is_empty(), "no row is left behind: {:?}", rooms.rows);
        (ids.iter().map(|id| rooms.settled.get(id).copied().unwrap_or(0)).collect(), lost)
    }

    proptest! {
        #[test]
        fn whatever_comes_in_between_each_outcome_is_handed_over_once_or_the_claim_is_lost(
            (jobs, steps) in (1_usize..6).prop_flat_map(|jobs| (Just(jobs), steps(jobs))),
        ) {
            let (settled, lost) = play(&open(jobs), steps);
            for times in settled {
                prop_assert!(times == 1 || (lost && times == 0), "settled {times} times");
            }
        }
    }
}
