//! What callers ask for: `enqueue` twice under one id, `cancel`, `retry`, and the worker's part in it. See
//! `djob/src/storage/rooms.rs`, `djob/src/maintenance/cancel.rs` and `insert_unique` of `storage/postgres/write.rs`.

use super::Djob;
use super::guards::Guard;
use super::state::{Caller, Cancelling, Finish, JobNo, Outcome, Slot, State};

/// The job that callers ask about.
const JOB: JobNo = 0;

impl Djob {
    // ---- enqueue under an id of the caller's ----

    pub fn looks_for_the_id(&self, state: &mut State, caller: usize) -> Option<()> {
        let another = state.callers.contains(&Caller::Checked);
        if state.callers[caller] != Caller::Idle || (another && self.has(Guard::EnqueueLocksTheId)) {
            return None;
        }
        let everywhere = state.db.rooms(JOB) > 0 && self.has(Guard::EnqueueLooksIntoEveryRoom);
        let known = (state.db.is_waiting(JOB) || everywhere) && self.has(Guard::EnqueueIsIdempotentById);
        state.callers[caller] = if known { Caller::Answered } else { Caller::Checked };
        Some(())
    }

    /// Within the waiting room the primary key is a guard of its own.
    pub fn stores_the_job(&self, state: &mut State, caller: usize) -> Option<()> {
        if state.callers[caller] != Caller::Checked {
            return None;
        }
        state.callers[caller] = Caller::Answered;
        if !state.db.is_waiting(JOB) {
            state.db.waiting.push(JOB);
        }
        state.past.enqueued[JOB as usize] = true;
        Some(())
    }

    // ---- cancel and retry ----

    pub fn cancels(&self, state: &mut State) -> Option<()> {
        match state.cancelling {
            Cancelling::Idle => {
                state.left.cancels = state.left.cancels.checked_sub(1)?;
                state.past.again[JOB as usize] = false;
                state.cancelling = Cancelling::NotWaiting;
                if state.db.is_waiting(JOB) {
                    state.cancelling = Cancelling::Copied;
                    if self.has(Guard::CancelLocksTheJob) {
                        moves_into_the_finished(state);
                    }
                }
            }
            Cancelling::Copied => moves_into_the_finished(state),
            Cancelling::NotWaiting if state.db.is_claimed(JOB) => {
                state.db.wishes.insert(JOB);
                state.cancelling = Cancelling::Idle;
            }
            Cancelling::NotWaiting => state.cancelling = Cancelling::NotClaimed,
            Cancelling::NotClaimed => {
                if state.db.is_waiting(JOB) {
                    moves_into_the_finished(state);
                }
                state.db.wishes.remove(&JOB);
                state.cancelling = Cancelling::Idle;
            }
        }
        Some(())
    }

    /// The job is wanted again.
    pub fn retries(&self, state: &mut State) -> Option<()> {
        state.left.retries = state.left.retries.checked_sub(1)?;
        let place =
            state.db.finished.iter().position(|(job, finish)| *job == JOB && *finish != Finish::Completed)?;
        // What is wanted while a cancel is under way may come to either end.
        if state.cancelling != Cancelling::Idle {
            return None;
        }
        state.db.finished.remove(place);
        state.db.waiting.push(JOB);
        state.db.facts[JOB as usize].attempt = 0;
        state.past.errors[JOB as usize] = 0;
        if self.has(Guard::RetryDropsTheWish) {
            state.db.wishes.remove(&JOB);
        }
        state.past.cancelled[JOB as usize] = false;
        state.past.again[JOB as usize] = true;
        Some(())
    }

    /// A running job is told that somebody wants it to stop, and does.
    pub fn obeys(&self, state: &mut State, at: usize, open: usize, slot: usize) -> Option<()> {
        let (job, here) = state.processes[at].opens[open].jobs[slot];
        if here != Slot::Running || !state.db.wishes.contains(&job) {
            return None;
        }
        self.end(state, at, open, slot, Outcome::Cancelled);
        Some(())
    }

    /// A job that has slipped back to waiting between the wish and the sign.
    pub fn slips(&self, state: &mut State, at: usize) -> Option<()> {
        let process = &mut state.processes[at];
        if !process.slipping {
            if !state.db.wishes.contains(&JOB) {
                return None;
            }
            process.slipping = true;
            if !self.has(Guard::WishIsHeldWhileItIsMet) {
                return Some(());
            }
        }
        state.processes[at].slipping = false;
        if state.db.is_waiting(JOB) {
            let under_way = std::mem::take(&mut state.cancelling);
            moves_into_the_finished(state);
            state.cancelling = under_way;
        }
        if !state.db.is_claimed(JOB) {
            state.db.wishes.remove(&JOB);
        }
        Some(())
    }
}

/// The copy was made before, and is seen from now on; what was copied is deleted, if it is still there.
fn moves_into_the_finished(state: &mut State) {
    state.db.finished.push((JOB, Finish::Cancelled));
    state.db.waiting.retain(|job| *job != JOB);
    state.cancelling = Cancelling::Idle;
    state.past.cancelled[JOB as usize] = true;
}
