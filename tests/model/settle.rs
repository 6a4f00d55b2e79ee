//! What the database does: `settle.sql` and the moves that follow, `start.sql`, `beat.sql`.

use super::Djob;
use super::guards::Guard;
use super::state::{CRASHES_MAX, ClaimEnd, ClaimRow, Finish, Id, JobNo, LEASE, Outcome, Row, State};

impl Djob {
    /// Writes what became of a claim row in this worker's name. `false` if the row does not stand.
    pub fn settle(&self, state: &mut State, worker: Id, end: &ClaimEnd) -> bool {
        let matches = |claim: &ClaimRow| {
            let same_row = claim.row == end.row && (end.row != Row::Batch || claim.fence == end.fence);
            let row = same_row || !self.has(Guard::RowInSettle);
            let fence = claim.fence == end.fence || !self.has(Guard::FenceInSettle);
            row && fence && (claim.worker == worker || !self.has(Guard::WorkerInSettle))
        };
        let gone = state.db.claims.iter().any(matches);
        state.db.claims.retain(|claim| !matches(claim));
        if gone || !self.has(Guard::RefusedIsNotWritten) {
            self.write(state, worker, end);
        }
        gone
    }

    /// Writes where the jobs of a claim go.
    pub fn write(&self, state: &mut State, worker: Id, end: &ClaimEnd) {
        for (job, outcome) in &end.ended {
            remember(state, *job, end);
            self.moves(state, *job, *outcome);
        }
        for (job, started) in &end.still {
            let (row, jobs) = (Row::Job(*job), vec![*job]);
            state.db.claims.push(ClaimRow { row, fence: end.fence, worker, jobs, started: *started });
        }
    }

    /// One job goes into its next room: `job/settle.rs` and `storage/moves.rs`.
    fn moves(&self, state: &mut State, job: JobNo, outcome: Outcome) {
        let facts = &mut state.db.facts[job as usize];
        let finish = match outcome {
            Outcome::Completed => Some(Finish::Completed),
            Outcome::Cancelled => Some(Finish::Cancelled),
            Outcome::Error => {
                facts.attempt += 1;
                // It came to an end of its own: no worker died of that.
                (facts.suspect, facts.crashes) = (false, 0);
                (facts.attempt >= self.cast.max_attempts).then_some(Finish::Failed)
            }
            Outcome::Interrupted => {
                facts.attempt += u8::from(!self.has(Guard::InterruptBurnsNoAttempt));
                None
            }
            Outcome::Crashed => {
                let over = facts.deaths() + 1 >= CRASHES_MAX && self.has(Guard::ThirdCrashEnds);
                // One more is counted than there should be, to see that it is one too many.
                facts.crashes = (facts.crashes + 1).min(CRASHES_MAX + 1);
                over.then_some(Finish::CrashLoop)
            }
            Outcome::Suspected => {
                facts.suspect = self.has(Guard::RescuedAreSuspects);
                None
            }
        };
        match finish {
            Some(finish) => state.db.finished.push((job, finish)),
            None => state.db.waiting.push(job),
        }
    }

    /// Notes that a suspect begins. `false` if its row does not stand.
    pub fn start(&self, state: &mut State, row: Row, fence: u8, worker: Id) -> bool {
        let here = |claim: &&mut ClaimRow| claim.row == row && claim.fence == fence && claim.worker == worker;
        let found = state.db.claims.iter_mut().find(here);
        found.map(|claim| claim.started = true).is_some()
    }

    /// A heartbeat. `false` if it is not believed. Either way, beats of others that lie ahead count as of now.
    pub fn beat(&self, state: &mut State, worker: Id) -> bool {
        if self.has(Guard::BeatsAheadCountAsNow) {
            let others = state.db.living.iter_mut().filter(|(id, _)| *id != worker);
            others.for_each(|(_, age)| *age = (*age).max(0));
        }
        state.past.unheard |= state.past.off_by < 0;
        let Some((_, age)) = state.db.living.iter_mut().find(|(id, _)| *id == worker) else { return false };
        if *age >= LEASE && self.has(Guard::ExpiredBeatIsRefused) {
            return false;
        }
        *age = 0;
        true
    }
}

/// Notes whether an outcome that is accepted should have been.
fn remember(state: &mut State, job: JobNo, end: &ClaimEnd) {
    let past = &mut state.past;
    past.stale_accepted |= end.fence < past.newest[job as usize];
    past.accepted_twice |= end.fence == past.decided[job as usize];
    past.decided[job as usize] = end.fence;
}
