//! The scenes: small worlds, each with as much going wrong as can be explored completely in a moment. One world with
//! everything in it would be too large; what belongs together is in one scene.

use super::state::{Caller, Cancelling, Database, Facts, JUMP, Left, Past, Process, Stage, State};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// Nobody dies and nobody stands still: heartbeats, rescuers that look, a worker that is told to end.
    Calm,
    /// Workers are killed and stand still.
    Workers,
    /// Two jobs in one claim, which is split; a worker is told to end.
    Batches,
    /// Answers to outcomes are lost, and the outcomes sent again.
    LostAnswers,
    /// Answers to claims are lost or late, and claims forgotten.
    Forgotten,
    /// One job kills every worker that runs it, the other is innocent.
    Poison,
    /// The database's clock jumps, forwards and backwards.
    Clock,
    /// It has just been set back, and a worker is killed.
    ClockSetBack,
    /// Somebody wants the job to stop, and then wants it again.
    Cancel,
    /// Two callers store a job under one id.
    Enqueue,
    /// The answer to a split is lost, and a worker stands still.
    LostSplit,
    /// A job kills its worker for the first time; the other, which is innocent, is on its last chance already.
    Accused,
}

/// What a scene consists of.
#[derive(Clone, Copy, Debug)]
pub struct Cast {
    pub jobs: u8,
    /// The first so many jobs kill the worker that runs them.
    pub poison: u8,
    pub processes: u8,
    pub max_attempts: u8,
    pub callers: u8,
    pub left: Left,
    /// The last job is on its last chance.
    pub accused: bool,
    /// Attempts may end in an error.
    pub errors: bool,
    /// 250 ms may pass: batches are split, and what waits in a row of its own goes back.
    pub splits: bool,
    /// An outcome is for a moment neither in its slot nor in the outbox.
    pub slow_hands: bool,
    /// One host's clock is ahead.
    pub skewed: bool,
    /// Answers to splits are lost, too.
    pub lost_splits: bool,
    /// The database's clock was set back after the workers joined.
    pub set_back: bool,
}

impl Scene {
    pub const ALL: [Scene; 12] = [
        Scene::Calm,
        Scene::Workers,
        Scene::Batches,
        Scene::LostAnswers,
        Scene::Forgotten,
        Scene::Poison,
        Scene::Clock,
        Scene::ClockSetBack,
        Scene::Cancel,
        Scene::Enqueue,
        Scene::LostSplit,
        Scene::Accused,
    ];

    pub fn cast(self) -> Cast {
        let cast = Cast {
            jobs: 1,
            poison: 0,
            processes: 2,
            max_attempts: 2,
            callers: 0,
            left: Left::default(),
            accused: false,
            errors: false,
            splits: false,
            slow_hands: false,
            skewed: false,
            lost_splits: false,
            set_back: false,
        };
        let none = Left::default();
        match self {
            Scene::Calm => Cast { errors: true, skewed: true, left: Left { drains: 2, ..none }, ..cast },
            Scene::Workers => Cast { errors: true, left: Left { kills: 1, pauses: 1, ..none }, ..cast },
            Scene::Batches => Cast { jobs: 2, splits: true, left: Left { drains: 1, ..none }, ..cast },
            Scene::LostAnswers => {
                Cast { errors: true, splits: true, left: Left { answers: 1, pauses: 1, ..none }, ..cast }
            }
            Scene::Forgotten => {
                Cast { errors: true, slow_hands: true, left: Left { claims: 2, answers: 1, ..none }, ..cast }
            }
            Scene::Poison => Cast { jobs: 2, poison: 1, processes: 1, splits: true, ..cast },
            Scene::Clock => Cast { left: Left { jumps: 2, ..none }, ..cast },
            Scene::ClockSetBack => Cast { set_back: true, left: Left { kills: 1, ..none }, ..cast },
            Scene::Cancel => Cast {
                errors: true,
                max_attempts: 1,
                left: Left { cancels: 1, retries: 1, kills: 1, ..none },
                ..cast
            },
            Scene::Enqueue => Cast { callers: 2, processes: 1, left: Left { kills: 1, ..none }, ..cast },
            Scene::LostSplit => {
                Cast { splits: true, lost_splits: true, left: Left { answers: 1, pauses: 1, ..none }, ..cast }
            }
            Scene::Accused => Cast { jobs: 2, poison: 1, processes: 1, accused: true, ..cast },
        }
    }
}

impl Cast {
    /// Every worker has just joined.
    pub fn start(&self) -> State {
        let process = |n: u8| {
            let ahead = n == 0 && self.skewed;
            Process { stage: Stage::Working, ahead, id: n + 1, ..Process::default() }
        };
        let stored = self.callers == 0;
        let age = if self.set_back { -JUMP } else { 0 };
        let mut facts = [Facts::default(); 4];
        if self.accused {
            facts[self.jobs as usize - 1] = Facts { crashes: 2, ..Facts::default() };
        }
        State {
            jobs: self.jobs,
            db: Database {
                facts,
                waiting: if stored { (0..self.jobs).collect() } else { vec![] },
                living: (0..self.processes).map(|n| (n + 1, age)).collect(),
                ..Database::default()
            },
            processes: (0..self.processes).map(process).collect(),
            cancelling: Cancelling::Idle,
            callers: vec![Caller::Idle; self.callers as usize],
            left: self.left,
            past: Past { enqueued: [stored; 4], went_back: self.set_back, ..Past::default() },
        }
    }
}
