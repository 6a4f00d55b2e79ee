//! What a worker does with its jobs: claim, take in, begin, end, split, settle. See `djob/src/worker/`.

use super::Djob;
use super::guards::Guard;
use super::state::{
    ClaimEnd, ClaimRow, Fence, JobNo, Open, Outcome, Process, Row, Rows, Slot, Stage, State,
    is_on_its_last_chance,
};

/// How a claim's answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    AtOnce,
    Late,
    Never,
}

/// How many jobs a worker has at once.
const SLOTS: usize = 2;

impl Djob {
    pub fn claim(&self, state: &mut State, at: usize, jobs: usize, answer: Answer) -> Option<()> {
        let fence = state.next_fence();
        let process = &mut state.processes[at];
        // The next heartbeat tells a worker that its lease is over: until then it hardly gets to claim twice.
        let has_any = !process.opens.is_empty() || !process.outbox.is_empty();
        let late = has_any && !state.db.lives(process.id);
        let busy =
            process.coming.is_some() || process.moving.is_some() || process.jobs() + jobs > SLOTS || late;
        if process.stage != Stage::Working || busy || state.db.waiting.len() < jobs {
            return None;
        }
        if process.is_silent() && self.has(Guard::SilentBeginsNothing) {
            self.dies(state, at);
            return Some(());
        }
        if answer != Answer::AtOnce {
            state.left.claims = state.left.claims.checked_sub(1)?;
        }
        state.db.waiting.sort_unstable();
        let taken: Vec<JobNo> = state.db.waiting.drain(..jobs).collect();
        if !self.has(Guard::MoveIsOneTransaction) {
            process.moving = Some(taken);
            return Some(());
        }
        taken.iter().for_each(|job| state.past.newest[*job as usize] = fence);
        let worker = process.id;
        state.db.claims.push(ClaimRow {
            row: Row::Batch,
            fence,
            worker,
            jobs: taken.clone(),
            started: false,
        });
        match answer {
            Answer::AtOnce => self.take_in(state, at, fence, &taken),
            Answer::Late => process.coming = Some((fence, taken)),
            Answer::Never => {}
        }
        Some(())
    }

    /// The second half of a claim that is not one transaction.
    pub fn bind(&self, state: &mut State, at: usize) -> Option<()> {
        let fence = state.next_fence();
        let jobs = state.processes[at].moving.take()?;
        let worker = state.processes[at].id;
        state.db.claims.push(ClaimRow { row: Row::Batch, fence, worker, jobs: jobs.clone(), started: false });
        self.take_in(state, at, fence, &jobs);
        Some(())
    }

    pub fn answer_comes(&self, state: &mut State, at: usize) -> Option<()> {
        let (fence, jobs) = state.processes[at].coming.take()?;
        self.take_in(state, at, fence, &jobs);
        Some(())
    }

    /// Suspects get rows of their own before anything of the claim may begin.
    fn take_in(&self, state: &mut State, at: usize, fence: Fence, jobs: &[JobNo]) {
        let mut deaths = [0; 4];
        jobs.iter().map(|job| *job as usize).for_each(|job| deaths[job] = state.db.facts[job].deaths());
        let split = deaths != [0; 4] && self.has(Guard::SuspectsAreSplit);
        let process = &mut state.processes[at];
        let slots = jobs.iter().map(|job| (*job, Slot::Held)).collect();
        let rows = if split { Rows::Splitting } else { Rows::Batch };
        process.opens.push(Open { fence, rows, jobs: slots, taken_in: !split, deaths });
        if split {
            let still = jobs.iter().map(|job| (*job, false)).collect();
            process.outbox.push(ClaimEnd { still, ..ClaimEnd::blank(Row::Batch, fence) });
        }
    }

    pub fn begin(&self, state: &mut State, at: usize, open: usize, slot: usize) -> Option<()> {
        let process = &state.processes[at];
        let Open { fence, rows, taken_in, deaths, .. } = process.opens[open];
        let (job, held) = process.opens[open].jobs[slot];
        let (id, deaths) = (process.id, deaths[job as usize]);
        let last_chance = is_on_its_last_chance(deaths);
        if process.stage != Stage::Working || !taken_in || held != Slot::Held || rows == Rows::Lost {
            return None;
        }
        if last_chance && self.quarantine_is_taken(process) {
            return None;
        }
        if process.is_silent() && self.has(Guard::SilentBeginsNothing) {
            self.dies(state, at);
            return Some(());
        }
        if deaths > 0 {
            let row = if rows == Rows::Batch { Row::Batch } else { Row::Job(job) };
            if self.has(Guard::SuspectIsStartedBeforeItRuns) && !self.start(state, row, fence, id) {
                self.end(state, at, open, slot, Outcome::Interrupted);
                return Some(());
            }
        }
        let process = &mut state.processes[at];
        process.opens[open].jobs[slot].1 = Slot::Running;
        if last_chance {
            process.quarantine = Some(fence);
        }
        state.past.began_without_lease |= !state.db.lives(id) && !state.past.leases_were_cut;
        Some(())
    }

    fn quarantine_is_taken(&self, process: &Process) -> bool {
        match process.runs_in_quarantine() {
            true => self.has(Guard::LastChancesRunOneByOne),
            false => process.quarantine_is_unstored() && self.has(Guard::LastChanceWaitsForTheOneBefore),
        }
    }

    /// A job ends, or is given back: `Run::end`.
    pub fn end(&self, state: &mut State, at: usize, open: usize, slot: usize, outcome: Outcome) {
        let alive = self.is_beyond_doubt(state, at);
        let process = &mut state.processes[at];
        let claim = &mut process.opens[open];
        let (job, fence) = (claim.jobs[slot].0, claim.fence);
        claim.jobs[slot].1 = Slot::Ended(outcome);
        let single = ClaimEnd { ended: vec![(job, outcome)], ..ClaimEnd::blank(Row::Job(job), fence) };
        let handed = !self.cast.slow_hands;
        match claim.rows {
            Rows::Lost => state.past.refused_though_alive |= alive,
            Rows::Splitting if self.has(Guard::SplitKeepsBack) => return,
            Rows::Single | Rows::Splitting => process.outbox.push(ClaimEnd { handed, ..single }),
            Rows::Batch => {
                let left = claim.jobs.iter().any(|(_, slot)| matches!(slot, Slot::Held | Slot::Running));
                if left {
                    return;
                }
                let ended = take_ended(claim);
                process.outbox.push(ClaimEnd { ended, handed, ..ClaimEnd::blank(Row::Batch, fence) });
            }
        }
        process.opens[open].jobs[slot].1 = Slot::Over;
        forget_what_is_over(process);
    }

    /// A batch has been open for too long.
    pub fn split(&self, state: &mut State, at: usize, open: usize) -> Option<()> {
        let process = &mut state.processes[at];
        let claim = process.opens.get_mut(open)?;
        let slow = claim.jobs.iter().any(|(_, slot)| *slot == Slot::Running);
        if !self.cast.splits || claim.rows != Rows::Batch || !claim.taken_in || !slow {
            return None;
        }
        claim.rows = Rows::Splitting;
        let mut end = ClaimEnd { ended: take_ended(claim), ..ClaimEnd::blank(Row::Batch, claim.fence) };
        for (job, slot) in &mut claim.jobs {
            match slot {
                Slot::Running => end.still.push((*job, true)),
                Slot::Held => {
                    end.ended.push((*job, Outcome::Interrupted));
                    *slot = Slot::Over;
                }
                _ => {}
            }
        }
        process.outbox.push(end);
        Some(())
    }

    /// Stores one outcome. If the answer is lost it is sent again.
    pub fn send(&self, state: &mut State, at: usize, end: usize, answered: bool) -> Option<()> {
        let entry = state.processes[at].outbox.get(end)?.clone();
        let is_split = !entry.still.is_empty();
        if !entry.handed || (!answered && is_split && !self.cast.lost_splits) {
            return None;
        }
        if !answered {
            state.left.answers = state.left.answers.checked_sub(1)?;
        }
        let id = state.processes[at].id;
        let mut accepted = self.settle(state, id, &entry);
        if !answered {
            let entry = &mut state.processes[at].outbox[end];
            (entry.repeated, entry.stored) = (true, entry.stored || accepted);
            return Some(());
        }
        if !accepted && entry.repeated && self.has(Guard::RefusedAsksForTheLease) {
            accepted = self.beat(state, id);
            state.past.told_wrongly |= accepted && !entry.stored;
        }
        state.past.refused_though_alive |= !accepted && self.is_beyond_doubt(state, at);
        state.processes[at].outbox.remove(end);
        if is_split {
            self.was_split(state, at, entry.fence, accepted);
        }
        Some(())
    }

    /// An outcome does not arrive at all.
    pub fn send_in_vain(&self, state: &mut State, at: usize, end: usize) -> Option<()> {
        state.left.answers = state.left.answers.checked_sub(1)?;
        let handed = state.processes[at].outbox.get(end)?.handed;
        if !handed || self.has(Guard::SettleIsRepeated) {
            return None;
        }
        state.processes[at].outbox.remove(end);
        state.past.refused_though_alive |= self.is_beyond_doubt(state, at);
        Some(())
    }

    /// The answer to a split: `OpenClaim::was_split`.
    fn was_split(&self, state: &mut State, at: usize, fence: Fence, accepted: bool) {
        let process = &mut state.processes[at];
        let splitting = |open: &&mut Open| open.fence == fence && open.rows == Rows::Splitting;
        let Some(claim) = process.opens.iter_mut().find(splitting) else { return };
        claim.rows = if accepted { Rows::Single } else { Rows::Lost };
        claim.taken_in = true;
        let ended = take_ended(claim);
        if accepted {
            let alone = |ended: (JobNo, Outcome)| ClaimEnd {
                ended: vec![ended],
                ..ClaimEnd::blank(Row::Job(ended.0), fence)
            };
            process.outbox.extend(ended.into_iter().map(alone));
        } else {
            claim.jobs.iter_mut().filter(|job| job.1 == Slot::Held).for_each(|job| job.1 = Slot::Over);
        }
        forget_what_is_over(process);
    }

    /// Whether nothing has happened for which a worker may lose its jobs.
    fn is_beyond_doubt(&self, state: &State, at: usize) -> bool {
        let process = &state.processes[at];
        state.db.lives(process.id) && !process.stood_still && !state.past.leases_were_cut
    }
}

fn take_ended(claim: &mut Open) -> Vec<(JobNo, Outcome)> {
    let mut taken = Vec::new();
    for (job, slot) in &mut claim.jobs {
        if let Slot::Ended(outcome) = *slot {
            taken.push((*job, outcome));
            *slot = Slot::Over;
        }
    }
    taken
}

pub fn forget_what_is_over(process: &mut Process) {
    let over =
        |open: &Open| open.rows != Rows::Splitting && open.jobs.iter().all(|(_, slot)| *slot == Slot::Over);
    process.opens.retain(|open| !over(open));
}
