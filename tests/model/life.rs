//! Life and death of workers: time, heartbeats, rescue, forgotten claims, drain. See `djob/src/maintenance/` and
//! `djob/src/worker/{heartbeat,drain,run}.rs`.

use super::Djob;
use super::guards::Guard;
use super::state::{
    ClaimEnd, ClaimRow, Fence, JUMP, JobNo, LEASE, Outcome, Process, Row, Rows, Slot, Stage, State,
};

impl Djob {
    /// Time passes, for everybody alike. Not before every worker that can act has beaten or given up: a worker gives
    /// up when three quarters of its lease are over.
    pub fn tick(&self, state: &mut State) -> Option<()> {
        let late =
            |process: &Process| process.acts() && process.stage != Stage::Left && process.silent >= LEASE - 1;
        if self.has(Guard::LostLeaseStopsJobs) && state.processes.iter().any(late) {
            return None;
        }
        state.db.living.iter_mut().for_each(|(_, age)| *age += 1);
        state
            .processes
            .iter_mut()
            .filter(|process| process.stage != Stage::Off)
            .for_each(|process| process.silent += 1);
        Some(())
    }

    /// The database's clock is put forwards or backwards.
    pub fn jump(&self, state: &mut State, by: i8) -> Option<()> {
        state.left.jumps = state.left.jumps.checked_sub(1)?;
        if (state.past.off_by + by).abs() > JUMP {
            return None;
        }
        state.db.living.iter_mut().for_each(|(_, age)| *age += by);
        let past = &mut state.past;
        past.off_by += by;
        past.leases_were_cut |= past.off_by > 0 || (by > 0 && past.unheard);
        past.went_back |= by < 0;
        Some(())
    }

    pub fn heartbeat(&self, state: &mut State, at: usize) -> Option<()> {
        let id = state.processes[at].id;
        if state.processes[at].stage == Stage::Left {
            return None;
        }
        let believed = self.beat(state, id);
        if believed && !state.processes[at].is_silent() {
            state.processes[at].silent = 0;
        } else if !believed && self.has(Guard::LostLeaseStopsJobs) {
            self.dies(state, at);
        }
        Some(())
    }

    /// The heartbeat sees that the last beat that was believed was sent too long ago, whatever the database says to one
    /// that has been on its way since.
    pub fn loses_its_lease(&self, state: &mut State, at: usize) -> Option<()> {
        let lost = state.processes[at].is_silent() && self.has(Guard::LostLeaseStopsJobs);
        lost.then(|| self.dies(state, at))
    }

    /// All that the process had in its hands is gone.
    pub fn dies(&self, state: &mut State, at: usize) {
        state.processes[at].ends(!self.has(Guard::IncarnationIsNew));
    }

    /// A job takes its worker down.
    pub fn kills_its_worker(&self, state: &mut State, at: usize, open: usize, slot: usize) -> Option<()> {
        let (job, here) = state.processes[at].opens[open].jobs[slot];
        if here != Slot::Running || !self.kills_workers(job) {
            return None;
        }
        let deaths = &mut state.past.deaths[job as usize];
        *deaths = (*deaths + 1).min(5);
        self.dies(state, at);
        Some(())
    }

    pub fn restart(&self, state: &mut State, at: usize) -> Option<()> {
        let next = state.next_id();
        let process = &mut state.processes[at];
        if process.stage != Stage::Off {
            return None;
        }
        let id = if process.id == 0 { next } else { process.id };
        *process = Process { stage: Stage::Working, id, ahead: process.ahead, ..Process::default() };
        state.db.living.retain(|(living, _)| *living != id);
        state.db.living.push((id, 0));
        state.past.unheard |= state.past.off_by < 0;
        Some(())
    }

    // ---- rescue ----

    /// The first half of a rescue: it is read which claims have no worker.
    pub fn looks_for_orphans(&self, state: &mut State, at: usize, claim: usize) -> Option<()> {
        let found = state.db.claims.get(claim)?.clone();
        let skew =
            if state.processes[at].ahead && !self.has(Guard::LeaseIsTheDatabasesClock) { LEASE } else { 0 };
        let lives = state.db.age(found.worker).is_some_and(|age| age + skew < LEASE);
        let orphan = !lives || !self.has(Guard::RescueNeedsDeadWorker);
        if state.processes[at].seen.is_some() || !orphan {
            return None;
        }
        if found.worker == state.processes[at].id {
            // Its own jobs are up for rescue: it has lost its lease.
            self.dies(state, at);
        } else {
            state.processes[at].seen = Some(found);
        }
        Some(())
    }

    /// The second half: it is settled in the gone worker's name.
    pub fn rescues(&self, state: &mut State, at: usize) -> Option<()> {
        let found = state.processes[at].seen.take()?;
        let to_blame = found.started || (found.row == Row::Batch && found.jobs.len() == 1);
        let became = |job: JobNo| match state.db.facts[job as usize].deaths() > 0 {
            true if !found.started && self.has(Guard::SuspectThatHasNotBegunIsReleased) => {
                Outcome::Interrupted
            }
            _ if to_blame => Outcome::Crashed,
            _ => Outcome::Suspected,
        };
        let end = handed_back(&found, became);
        if self.has(Guard::RescueShowsFence) {
            self.settle(state, found.worker, &end);
        } else {
            let here = |claim: &ClaimRow| claim.jobs.iter().any(|job| found.jobs.contains(job));
            let stands = state.db.claims.iter().any(here);
            state.db.claims.retain(|claim| !here(claim));
            if stands {
                self.write(state, found.worker, &end);
            }
        }
        Some(())
    }

    // ---- forgotten claims ----

    fn is_forgotten(&self, process: &Process, claim: &ClaimRow) -> bool {
        let open = |open: &super::state::Open| open.fence == claim.fence && open.rows != Rows::Lost;
        let sent = |end: &ClaimEnd| end.fence == claim.fence && end.handed;
        let known = process.opens.iter().any(open) || process.outbox.iter().any(sent);
        let coming = |(fence, _): &(Fence, Vec<u8>)| *fence == claim.fence;
        let too_young = process.coming.as_ref().is_some_and(coming);
        claim.worker == process.id
            && !(known && self.has(Guard::ForgottenAsksWhatIsKnown))
            && !(too_young && self.has(Guard::ForgottenWaitsForAnswers))
            && self.has(Guard::ForgottenIsHandedBack)
    }

    pub fn doubts(&self, state: &mut State, at: usize, claim: usize) -> Option<()> {
        let claim = state.db.claims.get(claim)?.clone();
        let process = &mut state.processes[at];
        let doubted = self.is_forgotten(process, &claim) && process.doubted.insert(claim.fence);
        doubted.then_some(())
    }

    /// The second look is half a lease after the first: an outcome that was nowhere then is in the outbox by now.
    pub fn hands_back(&self, state: &mut State, at: usize, claim: usize) -> Option<()> {
        let claim = state.db.claims.get(claim)?.clone();
        let process = &state.processes[at];
        let moment = process.outbox.iter().any(|end| !end.handed);
        let second = process.doubted.contains(&claim.fence) && !moment;
        let sure = second || !self.has(Guard::ForgottenLooksTwice);
        if !self.is_forgotten(process, &claim) || !sure {
            return None;
        }
        let id = process.id;
        self.settle(state, id, &handed_back(&claim, |_| Outcome::Interrupted));
        Some(())
    }

    // ---- drain ----

    pub fn drains(&self, state: &mut State, at: usize) -> Option<()> {
        let process = &mut state.processes[at];
        // A round of claiming is never dropped half-way.
        if process.stage != Stage::Working || process.coming.is_some() || process.moving.is_some() {
            return None;
        }
        state.left.drains = state.left.drains.checked_sub(1)?;
        process.stage = Stage::Draining;
        Some(())
    }

    /// What has a row of its own and has waited for too long goes back: above all what waits for the quarantine.
    pub fn waits_too_long(&self, state: &mut State, at: usize, open: usize, slot: usize) -> Option<()> {
        let process = &state.processes[at];
        let claim = &process.opens[open];
        let held = claim.jobs[slot].1 == Slot::Held && claim.rows == Rows::Single;
        if !self.cast.splits || process.stage != Stage::Working || !held {
            return None;
        }
        self.end(state, at, open, slot, Outcome::Interrupted);
        Some(())
    }

    /// What has not begun goes back.
    pub fn gives_back(&self, state: &mut State, at: usize, open: usize, slot: usize) -> Option<()> {
        let process = &state.processes[at];
        let held = process.opens[open].jobs[slot].1 == Slot::Held && process.opens[open].taken_in;
        if process.stage != Stage::Draining || !held || !self.has(Guard::DrainGivesBack) {
            return None;
        }
        self.end(state, at, open, slot, Outcome::Interrupted);
        Some(())
    }

    pub fn leaves(&self, state: &mut State, at: usize) -> Option<()> {
        let process = &mut state.processes[at];
        let id = process.id;
        let nothing_runs = process.running().next().is_none() && process.outbox.is_empty();
        let nothing_held = process.opens.is_empty() || !self.has(Guard::DrainGivesBack);
        match process.stage {
            Stage::Draining if nothing_runs && nothing_held => process.ends(false),
            Stage::Draining if !self.has(Guard::DrainSettlesBeforeItLeaves) => process.stage = Stage::Left,
            Stage::Left if nothing_runs => process.ends(false),
            _ => return None,
        }
        state.db.living.retain(|(living, _)| *living != id);
        Some(())
    }
}

/// Every job of a claim goes back.
fn handed_back(claim: &ClaimRow, outcome: impl Fn(JobNo) -> Outcome) -> ClaimEnd {
    let ended = claim.jobs.iter().map(|job| (*job, outcome(*job))).collect();
    ClaimEnd { ended, ..ClaimEnd::blank(claim.row, claim.fence) }
}
