//! What the model's world consists of: the database, the worker processes, the callers, and what is remembered of the past
//! so that promises can be asked after. Times are ticks; ids and fences are small numbers that are given anew in each
//! state, since only their order counts.

use std::collections::BTreeSet;

pub type JobNo = u8;
/// Something for each job; no scene has more.
pub type PerJob<T> = [T; 4];
/// A claim id; 0 is none.
pub type Fence = u8;
/// An incarnation of a worker; 0 is none.
pub type Id = u8;

/// Ticks without a heartbeat after which a lease is over.
pub const LEASE: i8 = 2;
/// From here on nothing changes with age, unless a clock goes back.
pub const OLD: i8 = LEASE + 2;
/// How many workers may die while a job runs, or may have run: `job/settle.rs`.
pub const CRASHES_MAX: u8 = 3;
/// How far a clock jumps.
pub const JUMP: i8 = 2;

/// The id of a row of `djob_claims`: the fence for a batch, the job's id for a job that was taken out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Row {
    Batch,
    Job(JobNo),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimRow {
    pub row: Row,
    pub fence: Fence,
    pub worker: Id,
    pub jobs: Vec<JobNo>,
    pub started: bool,
}

/// What an attempt came to, as in `djob/src/job/outcome.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    Completed,
    Error,
    Cancelled,
    Interrupted,
    Crashed,
    Suspected,
}

/// How a job is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Finish {
    Completed,
    Failed,
    CrashLoop,
    Cancelled,
}

/// What is stored with a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Facts {
    pub attempt: u8,
    pub crashes: u8,
    pub suspect: bool,
}

impl Facts {
    /// How many workers died while it ran in them, or may have.
    pub fn deaths(self) -> u8 {
        self.crashes + u8::from(self.suspect)
    }
}

/// Whether another death would end a job of which so many are known.
pub fn is_on_its_last_chance(deaths: u8) -> bool {
    deaths + 1 >= CRASHES_MAX
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Database {
    pub waiting: Vec<JobNo>,
    pub claims: Vec<ClaimRow>,
    pub finished: Vec<(JobNo, Finish)>,
    pub facts: PerJob<Facts>,
    /// `djob_workers`: how long ago the last heartbeat was, by the database's clock.
    pub living: Vec<(Id, i8)>,
    /// `djob_cancels`.
    pub wishes: BTreeSet<JobNo>,
}

/// Where one job of an open claim stands, as in `djob/src/worker/open.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    Held,
    Running,
    Ended(Outcome),
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rows {
    Batch,
    Splitting,
    Single,
    Lost,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Open {
    pub fence: Fence,
    pub rows: Rows,
    pub jobs: Vec<(JobNo, Slot)>,
    /// Its jobs may begin: nothing has to be split off before.
    pub taken_in: bool,
    /// Of each of its jobs: how many deaths were known when it was claimed.
    pub deaths: PerJob<u8>,
}

/// What became of one claim row, on its way into the database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimEnd {
    pub row: Row,
    pub fence: Fence,
    pub ended: Vec<(JobNo, Outcome)>,
    pub still: Vec<(JobNo, bool)>,
    /// It is in the outbox; before, it is for a moment nowhere.
    pub handed: bool,
    /// It was sent before, and the answer was lost.
    pub repeated: bool,
    /// It was accepted then.
    pub stored: bool,
}

impl ClaimEnd {
    /// It is about this row, and says nothing yet.
    pub fn blank(row: Row, fence: Fence) -> Self {
        let (ended, still) = (vec![], vec![]);
        ClaimEnd { row, fence, ended, still, handed: true, repeated: false, stored: false }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    #[default]
    Off,
    Working,
    Draining,
    /// It has left the list of the living and works on: nothing in djob does that.
    Left,
}

/// One worker process. It has a new id each time it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    pub stage: Stage,
    pub paused: bool,
    /// It stood still at some time in this incarnation.
    pub stood_still: bool,
    /// Its host's clock is ahead of the database's by a lease.
    pub ahead: bool,
    /// Ticks since its last heartbeat that was believed, by its own monotonic clock.
    pub silent: i8,
    pub opens: Vec<Open>,
    pub outbox: Vec<ClaimEnd>,
    /// A claim that is stored and whose answer is still on its way.
    pub coming: Option<(Fence, Vec<JobNo>)>,
    /// Jobs between two rooms, where a move is not one transaction.
    pub moving: Option<Vec<JobNo>>,
    /// An orphan that this process has read, and not rescued yet.
    pub seen: Option<ClaimRow>,
    /// Claims of its own that it did not know the last time it looked.
    pub doubted: BTreeSet<Fence>,
    /// It has seen the wish to stop the job, and not acted yet.
    pub slipping: bool,
    /// The claim of what runs in the quarantine, or ran in it and is not stored yet.
    pub quarantine: Option<Fence>,
    pub id: Id,
}

/// Where a call of `cancel` stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cancelling {
    #[default]
    Idle,
    /// Read in order to be copied into the finished room, and not yet deleted from the waiting one.
    Copied,
    /// The job did not wait.
    NotWaiting,
    /// And then was not claimed.
    NotClaimed,
}

/// Where a call of `enqueue` stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    Idle,
    Checked,
    Answered,
}

/// What may still go wrong, or be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Left {
    pub kills: u8,
    pub pauses: u8,
    /// Answers to `settle` that are lost.
    pub answers: u8,
    /// Answers to `claim` that are lost or late.
    pub claims: u8,
    pub drains: u8,
    pub jumps: u8,
    pub cancels: u8,
    pub retries: u8,
}

/// What is remembered for the sake of the promises only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Past {
    /// Of each job: it was stored.
    pub enqueued: PerJob<bool>,
    /// The fence of its last claim.
    pub newest: PerJob<Fence>,
    /// The fence under which an outcome was accepted last.
    pub decided: PerJob<Fence>,
    /// How many workers it has killed.
    pub deaths: PerJob<u8>,
    /// How many of its attempts ended in an error.
    pub errors: PerJob<u8>,
    /// `cancel` has said that it is cancelled.
    pub cancelled: PerJob<bool>,
    /// It was finished, and somebody wanted it again.
    pub again: PerJob<bool>,
    pub stale_accepted: bool,
    pub accepted_twice: bool,
    pub refused_though_alive: bool,
    /// An outcome that was never stored counts as accepted.
    pub told_wrongly: bool,
    /// A job began in a worker whose lease was over, though no clock was wrong.
    pub began_without_lease: bool,
    /// How far the clock is off.
    pub off_by: i8,
    /// A lease may have ended early: the clock went ahead, or forwards again after a beat while it was behind.
    pub leases_were_cut: bool,
    /// Somebody has joined or beaten while the clock was behind: once it is right again, that was long ago.
    pub unheard: bool,
    pub went_back: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub jobs: u8,
    pub db: Database,
    pub processes: Vec<Process>,
    pub cancelling: Cancelling,
    pub callers: Vec<Caller>,
    pub left: Left,
    pub past: Past,
}

impl Database {
    /// Whether a worker's lease holds, as the database sees it.
    pub fn lives(&self, id: Id) -> bool {
        self.age(id).is_some_and(|age| age < LEASE)
    }

    pub fn age(&self, id: Id) -> Option<i8> {
        self.living.iter().find(|(living, _)| *living == id).map(|(_, age)| *age)
    }

    pub fn is_waiting(&self, job: JobNo) -> bool {
        self.waiting.contains(&job)
    }

    pub fn is_claimed(&self, job: JobNo) -> bool {
        self.claims.iter().any(|claim| claim.jobs.contains(&job))
    }

    pub fn is_finished(&self, job: JobNo) -> bool {
        self.finished.iter().any(|(finished, _)| *finished == job)
    }

    /// In how many places a job is.
    pub fn rooms(&self, job: JobNo) -> usize {
        let claims = self.claims.iter().flat_map(|claim| &claim.jobs);
        let finished = self.finished.iter().map(|(job, _)| job);
        self.waiting.iter().chain(claims).chain(finished).filter(|here| **here == job).count()
    }
}

impl Process {
    pub fn acts(&self) -> bool {
        self.stage != Stage::Off && !self.paused
    }

    /// Whether it has been silent for so long that it has to stop. A worker that acts beats, or stops, before time goes on:
    /// only one that stood still is silent for longer.
    pub fn is_silent(&self) -> bool {
        self.silent >= LEASE
    }

    /// How many jobs it has that are not over.
    pub fn jobs(&self) -> usize {
        let slots = self.opens.iter().flat_map(|open| &open.jobs);
        slots.filter(|(_, slot)| matches!(slot, Slot::Held | Slot::Running)).count()
    }

    /// What runs here, with its fence.
    pub fn running(&self) -> impl Iterator<Item = (JobNo, Fence)> {
        let of = |open: &Open| {
            let fence = open.fence;
            open.jobs
                .clone()
                .into_iter()
                .filter(|(_, slot)| *slot == Slot::Running)
                .map(move |(job, _)| (job, fence))
        };
        self.opens.iter().flat_map(of)
    }

    /// Whether the job that has the quarantine still runs.
    pub fn runs_in_quarantine(&self) -> bool {
        let last_chance = |open: &Open| {
            let on_it = |job: JobNo| is_on_its_last_chance(open.deaths[job as usize]);
            open.jobs.iter().any(|(job, slot)| *slot == Slot::Running && on_it(*job))
        };
        self.opens.iter().any(|open| Some(open.fence) == self.quarantine && last_chance(open))
    }

    /// Whether an outcome of the claim that has the quarantine is on its way into the database.
    pub fn quarantine_is_unstored(&self) -> bool {
        self.outbox.iter().any(|end| Some(end.fence) == self.quarantine)
    }

    /// It ends, whatever it had.
    pub fn ends(&mut self, keep_id: bool) {
        let id = if keep_id { self.id } else { 0 };
        *self = Process { ahead: self.ahead, id, ..Process::default() };
    }
}
