//! What a worker does with its jobs: claim, take in, begin, end, split, settle. See `djob/src/worker/`.

use super::Djob;
use super::guards::Guard;
use super::state::{ClaimEnd, ClaimRow, Fence, JobNo, Open, Outcome, Process, Row, Rows, Slot, Stage, State};

/// How a claim's answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    AtOnce,
    Late,
    Never,
}

/// How many jobs a worker has at once.
const SLOTS: usize = 2;

fn blank(row: Row, fence: Fence) -> ClaimEnd {
    ClaimEnd { row, fence, ended: vec![], still: vec![], handed: true, repeated: false }
}

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
        let suspects = jobs.iter().any(|job| state.db.facts[*job as usize].suspect);
        let split = suspects && self.has(Guard::SuspectsAreSplit);
        let process = &mut state.processes[at];
        let slots = jobs.iter().map(|job| (*job, Slot::Held)).collect();
        let rows = if split { Rows::Splitting } else { Rows::Batch };
        process.opens.push(Open { fence, rows, jobs: slots, taken_in: !split });
        if split {
            let still = jobs.iter().map(|job| (*job, false)).collect();
            process.outbox.push(ClaimEnd { still, ..blank(Row::Batch, fence) });
        }
    }

    pub fn begin(&self, state: &mut State, at: usize, open: usize, slot: usize) -> Option<()> {
        let process = &state.processes[at];
        let (fence, rows, may) =
            (process.opens[open].fence, process.opens[open].rows, process.opens[open].taken_in);
        let (job, held) = process.opens[open].jobs[slot];
        if process.stage != Stage::Working || !may || held != Slot::Held || rows == Rows::Lost {
            return None;
        }
        let suspect = |job: JobNo| state.db.facts[job as usize].suspect;
        if !self.may_begin_beside(state, process, job) {
            return None;
        }
        if suspect(job) {
            let row = if rows == Rows::Batch { Row::Batch } else { Row::Job(job) };
            let id = process.id;
            if self.has(Guard::SuspectIsStartedBeforeItRuns) && !self.start(state, row, fence, id) {
                self.end(state, at, open, slot, Outcome::Interrupted);
                return Some(());
            }
        }
        state.processes[at].opens[open].jobs[slot].1 = Slot::Running;
        Some(())
    }

    /// Whether a job may begin beside what this worker has.
    fn may_begin_beside(&self, state: &State, process: &Process, job: JobNo) -> bool {
        let suspect = |job: JobNo| state.db.facts[job as usize].suspect;
        let runs = |like: &dyn Fn(JobNo) -> bool| process.running().any(|(other, _)| like(other));
        let mut unstored = process.outbox.iter().flat_map(|end| &end.ended);
        let unstored = unstored.any(|(other, _)| suspect(*other));
        if suspect(job) {
            let one_runs = runs(&suspect) && self.has(Guard::SuspectsRunOneByOne);
            let one_is_unstored = unstored && self.has(Guard::SuspectWaitsForTheOneBefore);
            let others = runs(&|other| !suspect(other)) && self.has(Guard::SuspectsRunAlone);
            !one_runs && !one_is_unstored && !others
        } else {
            !((runs(&suspect) || unstored) && self.has(Guard::SuspectsRunAlone))
        }
    }

    /// A job ends, or is given back: `Run::end`.
    pub fn end(&self, state: &mut State, at: usize, open: usize, slot: usize, outcome: Outcome) {
        let alive = self.is_beyond_doubt(state, at);
        let process = &mut state.processes[at];
        let claim = &mut process.opens[open];
        let (job, fence) = (claim.jobs[slot].0, claim.fence);
        claim.jobs[slot].1 = Slot::Ended(outcome);
        let single = ClaimEnd { ended: vec![(job, outcome)], ..blank(Row::Job(job), fence) };
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
                process.outbox.push(ClaimEnd { ended, handed, ..blank(Row::Batch, fence) });
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
        let mut end = ClaimEnd { ended: take_ended(claim), ..blank(Row::Batch, claim.fence) };
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
        if entry.repeated && is_split && self.has(Guard::SplitAsksWhatStands) {
            let stands = |claim: &ClaimRow| {
                claim.fence == entry.fence && claim.row != Row::Batch && claim.worker == id
            };
            accepted |= state.db.claims.iter().any(stands);
        }
        if !accepted {
            state.past.refused_though_alive |= !entry.repeated && self.is_beyond_doubt(state, at);
        }
        if !answered {
            state.processes[at].outbox[end].repeated = true;
            return Some(());
        }
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
            let alone =
                |ended: (JobNo, Outcome)| ClaimEnd { ended: vec![ended], ..blank(Row::Job(ended.0), fence) };
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
