//! The protocol as a model: claim, lease, rescue, late outcomes, cancel, drain, clocks that jump. Each scene is explored
//! completely, and each guard is taken away in turn to see which promise breaks.
//!
//! The model is of djob and not of a job library in general: a statement, or a step between two of them, is one action.
//! It has no lanes, backoff, parked room, large arguments or unique keys; those have tests of their own.

mod asks;
mod calm;
mod guards;
mod life;
mod names;
mod promises;
mod scenes;
mod settle;
mod state;
mod worker;

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model, Property};

use guards::{Guard, SECOND_BELT};
use promises::{Promise, sights};
use scenes::{Cast, Scene};
use state::{JUMP, JobNo, Outcome, Slot, Stage, State};
use worker::Answer;

/// What the book says about it.
const PAGE: &str = include_str!("../book/src/design/017-the-protocol-is-checked.md");

/// djob in one scene, less the guards that were taken away.
pub struct Djob {
    cast: Cast,
    removed: Vec<Guard>,
    /// What is asked of each state.
    promises: Vec<Promise>,
    /// States of which is known that every job gets finished, and in how many ticks.
    finishing: Mutex<HashMap<u64, u32>>,
}

/// One step. The numbers are places in lists: of a process, of its open claims, of a claim's jobs, of its outbox, of the
/// claim rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Send(usize, usize),
    HandOver(usize, usize),
    AnswerComes(usize),
    Bind(usize),
    Leave(usize),
    GiveBack(usize, usize, usize),
    Obey(usize, usize, usize),
    KillItsWorker(usize, usize, usize),
    End(usize, usize, usize, Outcome),
    Begin(usize, usize, usize),
    Rescue(usize),
    LookForOrphans(usize, usize),
    HandBack(usize, usize),
    Doubt(usize, usize),
    Slip(usize),
    CancelGoesOn,
    LookForTheId(usize),
    StoreTheJob(usize),
    Resume(usize),
    Restart(usize),
    Claim(usize, usize, Answer),
    Beat(usize),
    LoseTheLease(usize),
    Tick,
    // From here on: what need not happen.
    Split(usize, usize),
    WaitTooLong(usize, usize, usize),
    SendUnanswered(usize, usize),
    SendInVain(usize, usize),
    Pause(usize),
    Kill(usize),
    Drain(usize),
    Jump(i8),
    Cancel,
    Retry,
}

impl Djob {
    fn new(scene: Scene, removed: &[Guard], promises: &[Promise]) -> Self {
        let (removed, promises) = (removed.to_vec(), promises.to_vec());
        Djob { cast: scene.cast(), removed, promises, finishing: Mutex::default() }
    }

    pub fn has(&self, guard: Guard) -> bool {
        !self.removed.contains(&guard)
    }

    pub fn kills_workers(&self, job: JobNo) -> bool {
        job < self.cast.poison
    }

    /// Whether workers of this scene lose their jobs for reasons that lie outside of djob.
    pub fn workers_are_killed(&self) -> bool {
        let left = self.cast.left;
        left.kills + left.pauses + left.claims + left.jumps > 0
    }

    /// Steps of one process that need not happen are among them; most of them are possible in few states.
    fn steps_of(&self, state: &State, at: usize, steps: &mut Vec<Step>) {
        let process = &state.processes[at];
        if process.stage == Stage::Off {
            return steps.push(Step::Restart(at));
        }
        if process.paused {
            return steps.extend([Step::Resume(at), Step::Kill(at)]);
        }
        for end in 0..process.outbox.len() {
            steps.extend([Step::Send(at, end), Step::HandOver(at, end)]);
            steps.extend([Step::SendUnanswered(at, end), Step::SendInVain(at, end)]);
        }
        for (open, claim) in process.opens.iter().enumerate() {
            for (slot, (job, here)) in claim.jobs.iter().enumerate() {
                match here {
                    Slot::Held => {
                        steps.extend([Step::GiveBack(at, open, slot), Step::WaitTooLong(at, open, slot)]);
                        steps.push(Step::Begin(at, open, slot));
                    }
                    Slot::Running => {
                        steps.extend([Step::Obey(at, open, slot), Step::KillItsWorker(at, open, slot)]);
                        self.ends(*job, process.stage, |outcome| {
                            steps.push(Step::End(at, open, slot, outcome))
                        });
                    }
                    _ => {}
                }
            }
            steps.push(Step::Split(at, open));
        }
        for claim in 0..state.db.claims.len() {
            steps.extend([
                Step::LookForOrphans(at, claim),
                Step::HandBack(at, claim),
                Step::Doubt(at, claim),
            ]);
        }
        for answer in [Answer::AtOnce, Answer::Late, Answer::Never] {
            steps.extend([Step::Claim(at, 1, answer), Step::Claim(at, 2, answer)]);
        }
        steps.extend([
            Step::AnswerComes(at),
            Step::Bind(at),
            Step::Rescue(at),
            Step::Slip(at),
            Step::Leave(at),
        ]);
        steps.extend([Step::Beat(at), Step::LoseTheLease(at)]);
        steps.extend([Step::Pause(at), Step::Kill(at), Step::Drain(at)]);
    }

    /// How a job that runs can end.
    fn ends(&self, job: JobNo, stage: Stage, mut end: impl FnMut(Outcome)) {
        if !self.kills_workers(job) {
            end(Outcome::Completed);
        }
        if self.cast.errors {
            end(Outcome::Error);
        }
        if stage == Stage::Draining {
            end(Outcome::Interrupted);
        }
    }

    fn take(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Send(at, end) => self.send(state, at, end, true),
            Step::SendUnanswered(at, end) => self.send(state, at, end, false),
            Step::SendInVain(at, end) => self.send_in_vain(state, at, end),
            Step::HandOver(at, end) => state.processes[at].outbox.get_mut(end).map(|end| end.handed = true),
            Step::AnswerComes(at) => self.answer_comes(state, at),
            Step::Bind(at) => self.bind(state, at),
            Step::Claim(at, jobs, answer) => self.claim(state, at, jobs, answer),
            Step::Begin(at, open, slot) => self.begin(state, at, open, slot),
            Step::End(at, open, slot, outcome) => {
                let job = state.processes[at].opens[open].jobs[slot].0;
                let errors = &mut state.past.errors[job as usize];
                *errors = (*errors + u8::from(outcome == Outcome::Error)).min(self.cast.max_attempts);
                self.end(state, at, open, slot, outcome);
                Some(())
            }
            Step::KillItsWorker(at, open, slot) => self.kills_its_worker(state, at, open, slot),
            Step::Obey(at, open, slot) => self.obeys(state, at, open, slot),
            Step::Split(at, open) => self.split(state, at, open),
            Step::Beat(at) => self.heartbeat(state, at),
            Step::LoseTheLease(at) => self.loses_its_lease(state, at),
            Step::Tick => self.tick(state),
            Step::Jump(by) => self.jump(state, by),
            Step::Restart(at) => self.restart(state, at),
            Step::LookForOrphans(at, claim) => self.looks_for_orphans(state, at, claim),
            Step::Rescue(at) => self.rescues(state, at),
            Step::Doubt(at, claim) => self.doubts(state, at, claim),
            Step::HandBack(at, claim) => self.hands_back(state, at, claim),
            Step::Drain(at) => self.drains(state, at),
            Step::GiveBack(at, open, slot) => self.gives_back(state, at, open, slot),
            Step::WaitTooLong(at, open, slot) => self.waits_too_long(state, at, open, slot),
            Step::Leave(at) => self.leaves(state, at),
            Step::Slip(at) => self.slips(state, at),
            Step::Cancel if state.cancelling == state::Cancelling::Idle => self.cancels(state),
            Step::CancelGoesOn if state.cancelling != state::Cancelling::Idle => self.cancels(state),
            Step::Cancel | Step::CancelGoesOn => None,
            Step::Retry => self.retries(state),
            Step::LookForTheId(caller) => self.looks_for_the_id(state, caller),
            Step::StoreTheJob(caller) => self.stores_the_job(state, caller),
            Step::Resume(at) => {
                state.processes[at].paused = false;
                Some(())
            }
            Step::Pause(at) => {
                state.left.pauses = state.left.pauses.checked_sub(1)?;
                let process = &mut state.processes[at];
                (process.paused, process.stood_still) = (true, true);
                Some(())
            }
            Step::Kill(at) => {
                state.left.kills = state.left.kills.checked_sub(1)?;
                self.dies(state, at);
                Some(())
            }
        }
    }
}

impl Model for Djob {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![self.cast.start()]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        (0..state.processes.len()).for_each(|at| self.steps_of(state, at, steps));
        for caller in 0..state.callers.len() {
            steps.extend([Step::LookForTheId(caller), Step::StoreTheJob(caller)]);
        }
        steps.extend([Step::Cancel, Step::CancelGoesOn, Step::Retry]);
        steps.extend([Step::Tick, Step::Jump(JUMP), Step::Jump(-JUMP)]);
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        self.take(&mut next, step)?;
        let next = next.normalized();
        (next != *state).then_some(next)
    }

    /// Where the clock jumps, workers are taken for dead so often that a job is followed until its second death only.
    fn within_boundary(&self, state: &State) -> bool {
        self.cast.left.jumps == 0 || state.db.facts.iter().all(|facts| facts.deaths() <= 1)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.promises.iter().map(|promise| promise.property()).chain(sights()).collect()
    }
}

/// Explores a scene completely without these guards.
fn explore(scene: Scene, removed: &[Guard]) -> impl Checker<Djob> + use<> {
    Djob::new(scene, removed, &Promise::ALL).checker().threads(2).spawn_bfs().join()
}

/// Whether this promise breaks without that guard.
fn breaks(promise: Promise, guard: Guard, scene: Scene) -> bool {
    let until = HasDiscoveries::AnyOf(BTreeSet::from([promise.name()]));
    let model = Djob::new(scene, &[guard], &[promise]);
    let checked = model.checker().threads(2).finish_when(until).spawn_bfs().join();
    checked.discovery(promise.name()).is_some()
}

fn broken(checked: &impl Checker<Djob>) -> Vec<Promise> {
    Promise::ALL.into_iter().filter(|promise| checked.discovery(promise.name()).is_some()).collect()
}

#[test]
fn every_promise_holds_in_every_scene() {
    let (mut all, mut seen, begin) = (0, BTreeSet::new(), Instant::now());
    for scene in Scene::ALL {
        let checked = explore(scene, &[]);
        let states = checked.unique_state_count();
        println!("{scene:?}: {states} states, {} steps deep", checked.max_depth());
        if let Some(promise) = broken(&checked).first() {
            let road = checked.discovery(promise.name()).unwrap().into_actions();
            panic!("{scene:?}: not so: {}: {road:#?}", promise.name());
        }
        all += states;
        seen.extend(checked.discoveries().into_keys());
    }
    println!("{all} states in {:?}", begin.elapsed());
    let written = format!("{},{:03} states", all / 1000, all % 1000);
    assert!(PAGE.contains(&written), "the book says another number than {written}");
    let unseen = sights().into_iter().map(|sight| sight.name).filter(|sight| !seen.contains(sight));
    assert_eq!(unseen.collect::<Vec<_>>(), [""; 0], "what is never seen proves nothing");
}

#[test]
fn removing_any_guard_breaks_a_promise() {
    let mut unbroken = vec![];
    println!("{:<32} {:<26} in", "without", "breaks");
    for (guard, promise, scene) in Guard::ALL.iter().filter(|(guard, ..)| *guard != SECOND_BELT) {
        println!("{:<32} {:<26} {scene:?}", format!("{guard:?}"), format!("{promise:?}"));
        if !breaks(*promise, *guard, *scene) {
            let found = broken(&explore(*scene, &[*guard]));
            unbroken.push(format!("{guard:?} in {scene:?}: {promise:?} holds; {found:?} do not"));
        }
    }
    assert!(unbroken.is_empty(), "{unbroken:#?}");
}

#[test]
fn the_book_says_which_promise_breaks_without_each_guard() {
    let row = |(guard, promise, _): &(Guard, Promise, Scene)| format!("| `{guard:?}` | {} |", promise.name());
    let guards = Guard::ALL.iter().filter(|(guard, ..)| *guard != SECOND_BELT);
    let absent: Vec<String> = guards.map(row).filter(|row| !PAGE.contains(row)).collect();
    assert!(absent.is_empty(), "\n{}", absent.join("\n"));
}

/// A fence is given to one worker only. Asking for the worker, too, costs nothing and guards against nothing that the
/// model knows.
#[test]
fn without_the_worker_in_settle_nothing_breaks_while_the_fence_is_asked_for() {
    for scene in [Scene::Workers, Scene::Batches, Scene::LostAnswers, Scene::Forgotten, Scene::LostSplit] {
        let checked = explore(scene, &[SECOND_BELT]);
        assert_eq!(broken(&checked), [], "{scene:?}");
    }
}
