//! From decisions to rows: a settled job becomes a move into a room. Pure; the databases only write it.

use uuid::Uuid;

use super::{ClaimEnd, Ended};
use crate::clock::micros;
use crate::job::row::keep_micros;
use crate::job::{ClaimedJob, JobState, Settlement};

/// Where a row goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Waiting,
    Claimed,
    Parked,
    Finished,
    /// Kept nowhere.
    Nowhere,
}

impl Room {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Room::Waiting => "waiting",
            Room::Claimed => "claimed",
            Room::Parked => "parked",
            Room::Finished => "finished",
            Room::Nowhere => "nowhere",
        }
    }
}

/// One job on its way into a room.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    /// The claim row it comes from.
    pub(crate) claim: Uuid,
    /// The fence of that claim.
    pub(crate) fence: Uuid,
    pub(crate) room: Room,
    /// The job as it shall be from now on.
    pub(crate) job: ClaimedJob,
    /// Waiting: microseconds until it is due; `None` keeps its `run_at`.
    pub(crate) delay: Option<i64>,
    /// Finished: the state; parked: the reason; claimed: whether it has begun.
    pub(crate) state: Option<&'static str>,
    pub(crate) result: Option<String>,
    pub(crate) error: Option<String>,
    /// Finished: microseconds until it may be pruned; `None` is never.
    pub(crate) keep: Option<i64>,
    pub(crate) ran_us: i64,
}

impl Move {
    /// Whether an error of an attempt is to be recorded.
    pub(crate) fn has_attempt_error(&self) -> bool {
        let counted = matches!(
            (self.room, self.state),
            (Room::Waiting, _) | (Room::Finished | Room::Nowhere, Some("failed"))
        );
        self.error.is_some() && counted && self.job.attempt > 0
    }

    /// Whether large arguments lose their job.
    pub(crate) fn loses_args(&self) -> bool {
        self.job.args_apart && matches!(self.room, Room::Finished | Room::Nowhere)
    }

    /// The unique key that is free again.
    pub(crate) fn released_key(&self) -> Option<&str> {
        let over = matches!(self.room, Room::Finished | Room::Nowhere);
        self.job.meta.unique_key.as_deref().filter(|_| over)
    }

    /// The arguments as they are stored in a row: not at all if they lie apart.
    pub(crate) fn row_args(&self) -> Option<&str> {
        if self.job.args_apart { None } else { self.job.args.as_deref() }
    }
}

/// What became of claims whose jobs all completed and are kept for the same time: the database copies them itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kept<'a> {
    /// Microseconds until they may be pruned; `None` is never.
    pub(crate) keep: Option<i64>,
    /// Of each claim: how many jobs it has, and how many come before them in the two columns.
    pub(crate) jobs: Vec<i32>,
    pub(crate) before: Vec<i32>,
    /// Of each job, in the order of the claim rows.
    pub(crate) ran_us: Vec<i64>,
    pub(crate) results: Vec<Option<&'a str>>,
}

impl<'a> Kept<'a> {
    /// `None` if anything else became of any job.
    pub(crate) fn of(ends: &'a [ClaimEnd]) -> Option<Self> {
        let mut kept = Kept { keep: ends.first()?.ended.first().and_then(kept_for)?.0, ..Kept::default() };
        for end in ends {
            if !end.still.is_empty() {
                return None;
            }
            let (before, jobs) = (kept.ran_us.len(), end.ended.len());
            kept.before.push(i32::try_from(before).ok()?);
            kept.jobs.push(i32::try_from(jobs).ok()?);
            kept.ran_us.resize(before + jobs, -1);
            kept.results.resize(before + jobs, None);
            for ended in &end.ended {
                let (keep, result) = kept_for(ended)?;
                let place = if jobs == 1 { 0 } else { ended.job.place };
                // Each place of the claim row is taken once, or this is a part of it.
                let free = kept.ran_us[before..].get_mut(place).filter(|ran_us| **ran_us < 0)?;
                *free = micros(ended.ran);
                kept.results[before + place] = result;
                if keep != kept.keep {
                    return None;
                }
            }
        }
        Some(kept)
    }
}

/// How long a completed job is kept, and its result; `None` if it is not kept, or if that is not all there is to write.
fn kept_for(ended: &Ended) -> Option<(Option<i64>, Option<&str>)> {
    let Settlement::Finish { state: JobState::Completed, result, error: None, keep } = &ended.settlement
    else {
        return None;
    };
    let keep = keep_micros(*keep);
    let plain = !ended.job.args_apart && ended.job.meta.unique_key.is_none();
    (plain && keep != Some(0)).then_some((keep, result.as_deref()))
}

/// All moves that follow from what became of a claim. A job that leaves without a trace makes none.
pub(crate) fn moves(end: &ClaimEnd) -> impl Iterator<Item = Move> {
    let ended = end.ended.iter().filter_map(|ended| moved(end, ended));
    let still = end.still.iter().map(|still| Move {
        state: still.started.then_some("started"),
        ..blank(end, Room::Claimed, (*still.job).clone())
    });
    ended.chain(still)
}

/// Whether nothing of the job is kept, or lies elsewhere than in its claim row.
fn leaves_no_trace(ended: &Ended) -> bool {
    let Settlement::Finish { keep, .. } = &ended.settlement else { return false };
    keep_micros(*keep) == Some(0) && !ended.job.args_apart && ended.job.meta.unique_key.is_none()
}

fn blank(end: &ClaimEnd, room: Room, job: ClaimedJob) -> Move {
    let (claim, fence) = (end.key.row, end.key.fence);
    Move {
        claim,
        fence,
        room,
        job,
        delay: None,
        state: None,
        result: None,
        error: None,
        keep: None,
        ran_us: 0,
    }
}

fn moved(end: &ClaimEnd, ended: &Ended) -> Option<Move> {
    if leaves_no_trace(ended) {
        return None;
    }
    let mut to = Move { ran_us: micros(ended.ran), ..blank(end, Room::Waiting, (*ended.job).clone()) };
    match &ended.settlement {
        Settlement::Finish { state, result, error, keep } => {
            to.keep = keep_micros(*keep);
            to.room = if to.keep == Some(0) { Room::Nowhere } else { Room::Finished };
            to.state = Some(state.as_str());
            (to.result, to.error) = (result.clone(), error.clone());
            if *state == JobState::Failed {
                to.job.attempt = to.job.attempt.saturating_add(1);
            }
        }
        Settlement::Retry { delay, error } => {
            to.job.attempt = to.job.attempt.saturating_add(1);
            // It came to an end of its own: no worker died of that.
            (to.job.meta.suspect, to.job.meta.crashes) = (false, 0);
            (to.delay, to.error) = (Some(micros(*delay)), Some(error.clone()));
        }
        Settlement::Snooze { delay } => {
            to.job.meta.snoozes = to.job.meta.snoozes.saturating_add(1);
            to.job.meta.suspect = false;
            to.delay = Some(micros(*delay));
        }
        Settlement::Release => {}
        Settlement::Postpone { delay } => to.delay = Some(micros(*delay)),
        Settlement::Rescue { crashed } => match crashed {
            true => to.job.meta.crashes = to.job.meta.crashes.saturating_add(1),
            false => to.job.meta.suspect = true,
        },
        Settlement::Park { reason, detail } => {
            to.room = Room::Parked;
            (to.state, to.error) = (Some(*reason), Some(detail.clone()));
        }
    }
    Some(to)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::job::{ClaimKey, JobId, Keep, Meta};

    fn ended(place: usize, keep: u64) -> Ended {
        let job = ClaimedJob {
            id: JobId::new(),
            place,
            kind: "k".into(),
            queue: "q".into(),
            priority: 0,
            run_at: crate::clock::Timestamp::EPOCH,
            attempt: 0,
            max_attempts: 25,
            args: Some("{}".into()),
            args_apart: false,
            meta: Meta::default(),
        };
        let (state, keep) = (JobState::Completed, Keep::For(Duration::from_secs(keep)));
        let settlement = Settlement::Finish { state, result: Some(place.to_string()), error: None, keep };
        Ended {
            job: Arc::new(job),
            settlement,
            ran: Duration::from_micros(place as u64),
            finished_itself: false,
        }
    }

    fn end(ended: impl IntoIterator<Item = Ended>) -> ClaimEnd {
        let row = Uuid::now_v7();
        ClaimEnd { key: ClaimKey { row, fence: row }, ended: ended.into_iter().collect(), still: vec![] }
    }

    #[test]
    fn what_completed_in_any_order_is_kept_in_the_order_of_its_claim_row() {
        let ends = [
            end([ended(1, 9), ended(0, 9)]),
            end([ended(17, 9)]),
            end([0, 2, 1].map(|place| ended(place, 9))),
        ];
        let kept = Kept::of(&ends).unwrap();
        assert_eq!((kept.jobs, kept.before, kept.keep), (vec![2, 1, 3], vec![0, 2, 3], Some(9_000_000)));
        assert_eq!(kept.ran_us, [0, 1, 17, 0, 1, 2]);
        assert_eq!(kept.results.into_iter().flatten().collect::<Vec<_>>(), ["0", "1", "17", "0", "1", "2"]);
    }

    #[test]
    fn whatever_else_became_of_a_job_is_a_move_of_its_own() {
        let cases = [
            vec![],
            vec![end([ended(0, 9), ended(2, 9)])],
            vec![end([ended(1, 9), ended(1, 9)])],
            vec![end([ended(0, 9), ended(1, 8)])],
            vec![end([ended(0, 9)]), end([ended(0, 8)])],
            vec![end([ended(0, 0)])],
            vec![end([Ended { settlement: Settlement::Release, ..ended(0, 9) }])],
        ];
        for ends in cases {
            assert_eq!(Kept::of(&ends), None, "{ends:?}");
        }
        let mut parts = end([ended(0, 9)]);
        parts.still.push(crate::storage::Still { job: ended(1, 9).job, started: true });
        assert_eq!(Kept::of(&[parts]), None);
    }
}
