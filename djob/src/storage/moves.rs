//! From decisions to rows: a settled job becomes a move into a room. Pure; the databases only write it.

use uuid::Uuid;

use super::{ClaimEnd, Ended};
use crate::clock::micros;
use crate::job::row::keep_micros;
use crate::job::{ClaimedJob, Settlement};

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
            if *state == crate::job::JobState::Failed {
                to.job.attempt = to.job.attempt.saturating_add(1);
            }
        }
        Settlement::Retry { delay, error } => {
            to.job.attempt = to.job.attempt.saturating_add(1);
            to.job.meta.suspect = false;
            (to.delay, to.error) = (Some(micros(*delay)), Some(error.clone()));
        }
        Settlement::Snooze { delay } => {
            to.job.meta.snoozes = to.job.meta.snoozes.saturating_add(1);
            to.job.meta.suspect = false;
            to.delay = Some(micros(*delay));
        }
        Settlement::Release => {}
        Settlement::Rescue { crashed } => {
            to.job.meta.crashes = to.job.meta.crashes.saturating_add(u16::from(*crashed));
            to.job.meta.suspect = true;
        }
        Settlement::Park { reason, detail } => {
            to.room = Room::Parked;
            (to.state, to.error) = (Some(*reason), Some(detail.clone()));
        }
    }
    Some(to)
}
