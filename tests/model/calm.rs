//! Calm weather: nothing more goes wrong, and everybody does what there is to do. How long does it take?

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use stateright::Model as _;

use super::state::{Outcome, State};
use super::worker::Answer;
use super::{Djob, Step};

/// More steps than any scene needs.
const STEPS_MAX: usize = 200;

impl Djob {
    fn calm_step(&self, state: &State) -> Option<(Step, State)> {
        let mut steps = Vec::new();
        self.actions(state, &mut steps);
        steps.retain(|step| step.has_to_happen());
        steps.sort_by_key(|step| step.rank());
        steps.into_iter().find_map(|step| Some((step, self.next_state(state, step)?)))
    }

    /// How many ticks pass in calm weather until every job is finished; `None` if something gets stuck.
    pub fn ticks_to_the_end(&self, state: &State) -> Option<u32> {
        let number = |state: &State| BuildHasherDefault::<DefaultHasher>::default().hash_one(state);
        let known = |number: &u64| self.finishing.lock().unwrap().get(number).copied();
        let (mut road, mut here, mut ticks) = (Vec::new(), state.clone(), 0);
        while !here.is_done() {
            let place = number(&here);
            if let Some(rest) = known(&place) {
                ticks += rest;
                break;
            }
            let (step, next) = self.calm_step(&here).filter(|_| road.len() < STEPS_MAX)?;
            road.push((place, ticks));
            ticks += u32::from(step == Step::Tick);
            here = next;
        }
        let finishing = road.into_iter().map(|(place, before)| (place, ticks - before));
        self.finishing.lock().unwrap().extend(finishing);
        Some(ticks)
    }
}

impl Step {
    fn rank(self) -> u8 {
        match self {
            Step::Send(..) | Step::HandOver(..) | Step::AnswerComes(_) | Step::Bind(_) | Step::Resume(_) => 0,
            Step::Leave(_)
            | Step::GiveBack(..)
            | Step::Obey(..)
            | Step::KillItsWorker(..)
            | Step::End(..) => 1,
            Step::Begin(..) | Step::Rescue(_) | Step::HandBack(..) | Step::CancelGoesOn => 2,
            Step::LookForOrphans(..) | Step::Doubt(..) | Step::Slip(_) | Step::StoreTheJob(_) => 3,
            Step::LookForTheId(_) | Step::Restart(_) | Step::Claim(..) => 4,
            Step::Beat(_) | Step::LoseTheLease(_) => 5,
            _ => 6,
        }
    }

    fn has_to_happen(self) -> bool {
        match self {
            Step::Split(..) | Step::WaitTooLong(..) | Step::SendUnanswered(..) | Step::SendInVain(..) => {
                false
            }
            Step::Pause(_) | Step::Kill(_) | Step::Drain(_) | Step::Jump(_) | Step::Cancel | Step::Retry => {
                false
            }
            Step::End(.., outcome) => outcome == Outcome::Completed,
            Step::Claim(.., answer) => answer == Answer::AtOnce,
            _ => true,
        }
    }
}
