//! The promises, each a question to any state of the world.

use stateright::Property;

use super::Djob;
use super::state::{CRASHES_MAX, Finish, JobNo, LEASE, Process, State};

/// What must hold in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    NothingIsLost,
    NothingIsTwice,
    FinishedStaysFinished,
    OneOutcomePerClaim,
    NewestFenceWins,
    CancelledNeverRuns,
    WantedAgainIsNotCancelled,
    NeighboursAreInnocent,
    CulpritsAreFound,
    GracefulStopCostsNothing,
    OverlapNeedsACause,
    OverlapNeedsALostLease,
    BeginsWithALease,
    OutcomesOfTheLivingCount,
    AcceptedIsStored,
    NothingGetsStuck,
    RescueTakesALease,
}

impl Promise {
    /// The promise in words, which name it in the checker and in the book.
    pub const fn name(self) -> &'static str {
        match self {
            Promise::NothingIsLost => "a job that was stored is in some room",
            Promise::NothingIsTwice => "a job is in one room only",
            Promise::FinishedStaysFinished => "a finished job neither waits nor is claimed",
            Promise::OneOutcomePerClaim => "of each claim of a job one outcome is accepted",
            Promise::NewestFenceWins => "an accepted outcome carries the job's newest fence",
            Promise::CancelledNeverRuns => "a job that was cancelled while it waited is never claimed",
            Promise::WantedAgainIsNotCancelled => {
                "a job that is wanted again is not cancelled by an old wish"
            }
            Promise::NeighboursAreInnocent => {
                "with one killer about, a job that kills no worker is not condemned"
            }
            Promise::CulpritsAreFound => "a job kills three workers at most",
            Promise::GracefulStopCostsNothing => "a graceful stop burns no attempt and counts no crash",
            Promise::OverlapNeedsACause => {
                "two runs overlap only if the earlier worker stood still or the clock jumped"
            }
            Promise::OverlapNeedsALostLease => "two runs overlap only if the earlier worker has no lease",
            Promise::BeginsWithALease => {
                "a job begins only in a worker with a lease, unless the clock jumped"
            }
            Promise::OutcomesOfTheLivingCount => "the outcome of a worker with a lease is accepted",
            Promise::AcceptedIsStored => "what counts as accepted was stored, unless the clock went back",
            Promise::NothingGetsStuck => "once nothing more goes wrong, every job is finished",
            Promise::RescueTakesALease => {
                "once nothing more goes wrong, a dead worker's jobs wait for a lease at most"
            }
        }
    }

    const fn condition(self) -> fn(&Djob, &State) -> bool {
        match self {
            Promise::NothingIsLost => nothing_is_lost,
            Promise::NothingIsTwice => |_, state: &State| jobs(state).all(|job| state.db.rooms(job) <= 1),
            Promise::FinishedStaysFinished => finished_stays_finished,
            Promise::OneOutcomePerClaim => |_, state| !state.past.accepted_twice,
            Promise::NewestFenceWins => |_, state| !state.past.stale_accepted,
            Promise::CancelledNeverRuns => |_, state: &State| {
                jobs(state).all(|job| !state.past.cancelled[job as usize] || !state.db.is_claimed(job))
            },
            Promise::WantedAgainIsNotCancelled => wanted_again_is_not_cancelled,
            Promise::NeighboursAreInnocent => neighbours_are_innocent,
            Promise::CulpritsAreFound => culprits_are_found,
            Promise::GracefulStopCostsNothing => graceful_stop_costs_nothing,
            Promise::OverlapNeedsACause => overlap_needs_a_cause,
            Promise::OverlapNeedsALostLease => overlap_needs_a_lost_lease,
            Promise::BeginsWithALease => |_, state| !state.past.began_without_lease,
            Promise::OutcomesOfTheLivingCount => |_, state| !state.past.refused_though_alive,
            Promise::AcceptedIsStored => |_, state| !state.past.told_wrongly || state.past.went_back,
            Promise::NothingGetsStuck => |model, state| model.ticks_to_the_end(state).is_some(),
            Promise::RescueTakesALease => rescue_takes_a_lease,
        }
    }

    pub fn property(self) -> Property<Djob> {
        Property::always(self.name(), self.condition())
    }

    pub const ALL: [Promise; 17] = [
        Promise::NothingIsLost,
        Promise::NothingIsTwice,
        Promise::FinishedStaysFinished,
        Promise::OneOutcomePerClaim,
        Promise::NewestFenceWins,
        Promise::CancelledNeverRuns,
        Promise::WantedAgainIsNotCancelled,
        Promise::NeighboursAreInnocent,
        Promise::CulpritsAreFound,
        Promise::GracefulStopCostsNothing,
        Promise::OverlapNeedsACause,
        Promise::OverlapNeedsALostLease,
        Promise::BeginsWithALease,
        Promise::OutcomesOfTheLivingCount,
        Promise::AcceptedIsStored,
        Promise::NothingGetsStuck,
        Promise::RescueTakesALease,
    ];
}

pub fn jobs(state: &State) -> impl Iterator<Item = JobNo> {
    0..state.jobs
}

/// A move that is not one transaction may be half done; it is a loss only when nobody does the other half.
fn nothing_is_lost(_: &Djob, state: &State) -> bool {
    let moving =
        |job| state.processes.iter().any(|process| process.moving.iter().flatten().any(|here| *here == job));
    jobs(state).all(|job| !state.past.enqueued[job as usize] || state.db.rooms(job) >= 1 || moving(job))
}

fn finished_stays_finished(_: &Djob, state: &State) -> bool {
    let elsewhere = |job| state.db.is_waiting(job) || state.db.is_claimed(job);
    jobs(state).all(|job| !(state.db.is_finished(job) && elsewhere(job)))
}

fn wanted_again_is_not_cancelled(_: &Djob, state: &State) -> bool {
    jobs(state)
        .all(|job| !state.past.again[job as usize] || !state.db.finished.contains(&(job, Finish::Cancelled)))
}

/// A worker that dies of something else is held against all that ran in it: nobody can know better.
fn neighbours_are_innocent(model: &Djob, state: &State) -> bool {
    model.workers_are_killed() || model.cast.accused || !an_innocent_is_condemned(model, state)
}

fn an_innocent_is_condemned(model: &Djob, state: &State) -> bool {
    jobs(state).any(|job| !model.kills_workers(job) && state.db.finished.contains(&(job, Finish::CrashLoop)))
}

fn culprits_are_found(_: &Djob, state: &State) -> bool {
    state.past.deaths.iter().all(|deaths| *deaths <= CRASHES_MAX)
}

/// Where a job kills workers, each of those it may still kill takes a lease.
fn rescue_takes_a_lease(model: &Djob, state: &State) -> bool {
    let deaths = u32::from(1 + model.cast.poison * CRASHES_MAX);
    model.ticks_to_the_end(state).is_none_or(|ticks| ticks <= deaths * u32::from(LEASE.unsigned_abs()))
}

fn graceful_stop_costs_nothing(model: &Djob, state: &State) -> bool {
    let attempts =
        state.db.facts.iter().zip(&state.past.errors).all(|(facts, errors)| facts.attempt <= *errors);
    let crashes = state.db.facts.iter().all(|facts| facts.crashes == 0 && !facts.suspect);
    attempts && (crashes || model.workers_are_killed() || model.cast.poison > 0)
}

/// Every run of a job that is not its newest, with the process it is in.
fn overtaken(state: &State) -> impl Iterator<Item = (&Process, JobNo)> {
    let runs = || state.processes.iter().flat_map(|process| process.running().map(move |run| (process, run)));
    let newest = move |job| runs().filter(|(_, (other, _))| *other == job).map(|(_, (_, fence))| fence).max();
    runs()
        .filter(move |(_, (job, fence))| newest(*job) != Some(*fence))
        .map(|(process, (job, _))| (process, job))
}

fn overlap_needs_a_cause(_: &Djob, state: &State) -> bool {
    overtaken(state).all(|(process, _)| process.stood_still || state.past.leases_were_cut)
}

/// A clock that goes back can make a lease valid again that was over, and whose jobs were given away.
fn overlap_needs_a_lost_lease(_: &Djob, state: &State) -> bool {
    overtaken(state).all(|(process, _)| !state.db.lives(process.id) || state.past.went_back)
}

/// What is to be seen at least once in some scene, so that no promise holds for want of anything to happen.
pub fn sights() -> Vec<Property<Djob>> {
    vec![
        Property::sometimes("two runs overlap", |_, state: &State| overtaken(state).next().is_some()),
        Property::sometimes("an outcome is about to be refused", |_, state: &State| {
            let fences = |fence| state.db.claims.iter().all(|claim| claim.fence != fence);
            state.processes.iter().flat_map(|process| &process.outbox).any(|end| fences(end.fence))
        }),
        Property::sometimes("a job ends in a crash loop", |_, state: &State| {
            state.db.finished.iter().any(|(_, finish)| *finish == Finish::CrashLoop)
        }),
        Property::sometimes(
            "an innocent job is condemned: it was on its last chance",
            an_innocent_is_condemned,
        ),
        Property::sometimes("a job is cancelled while it waits", |_, state: &State| {
            state.past.cancelled.iter().any(|cancelled| *cancelled)
        }),
        Property::sometimes("a job has failed, was wanted again, and completes", |_, state: &State| {
            jobs(state).any(|job| {
                state.past.again[job as usize] && state.db.finished.contains(&(job, Finish::Completed))
            })
        }),
    ]
}
