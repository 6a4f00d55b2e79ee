//! The guards: each thing in the code without which a promise breaks, as the model shows by taking it away.

use super::promises::Promise;
use super::scenes::Scene;

macro_rules! guards {
    ($($(#[doc = $doc:literal])+ $name:ident breaks $promise:ident in $scene:ident;)+) => {
        /// A guard, and where in the code it lives.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Guard {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Guard {
            /// Every guard, with the promise that breaks without it, and the scene that shows it.
            pub const ALL: &[(Guard, Promise, Scene)] =
                &[$((Guard::$name, Promise::$promise, Scene::$scene)),+];
        }
    };
}

/// Nothing breaks without this one, as long as the fence is asked for.
pub const SECOND_BELT: Guard = Guard::WorkerInSettle;

guards! {
    /// A claim takes its jobs out of `djob_jobs` and binds them into a claim row in one transaction: `claim.sql`;
    /// `storage/sqlite/write.rs`, `claim_lane`; `storage/mysql/write.rs`.
    MoveIsOneTransaction breaks NothingIsLost in Workers;

    /// What names a claim that does not stand is refused, and nothing of it is written: `join gone` in `settle.sql`,
    /// `settle` in `storage/sqlite/write.rs`.
    RefusedIsNotWritten breaks NothingIsTwice in Workers;

    /// An outcome names the row it is about: `c.id = ended.id` in `settle.sql` and `settle_done.sql`. After a split,
    /// several rows have one fence.
    RowInSettle breaks NothingIsLost in Batches;

    /// An outcome shows the fence under which its job was claimed: `c.fence = ended.fence` in `settle.sql` and
    /// `settle_done.sql`. The row of a single job has the job's id, in every claim of it.
    FenceInSettle breaks NewestFenceWins in LostAnswers;

    /// Only claims of workers without a live row are orphans: `not exists` in `orphans.sql`.
    RescueNeedsDeadWorker breaks OverlapNeedsACause in Calm;

    /// The rescuer settles under the row, the fence and the worker that it has read: `maintenance/rescue.rs`. By the
    /// time it writes, the job may run elsewhere.
    RescueShowsFence breaks OverlapNeedsACause in Workers;

    /// A worker that was silent for a lease is not believed any more: `beat_at > now() - $2` in `beat.sql`.
    ExpiredBeatIsRefused breaks OverlapNeedsALostLease in Workers;

    /// A worker that cannot beat, or is not believed, stops its jobs before its lease ends: `worker/heartbeat.rs`,
    /// `Engine::lose`.
    LostLeaseStopsJobs breaks OverlapNeedsACause in Calm;

    /// The database says what time it is, also for leases: `now()` in `beat.sql` and `orphans.sql`.
    LeaseIsTheDatabasesClock breaks OverlapNeedsACause in Calm;

    /// Beats that lie ahead, because the clock was set back, count as of now: `ahead` in `beat.sql`,
    /// `beats_ahead.others.sql`. Otherwise a worker that died would live until it is that late again.
    BeatsAheadCountAsNow breaks RescueTakesALease in ClockSetBack;

    /// A worker that has been silent for three quarters of its lease begins nothing and claims nothing, though its
    /// heartbeat has not noticed yet: `lease_is_running_out` in `worker/execute.rs` and `worker/claim.rs`.
    SilentBeginsNothing breaks BeginsWithALease in Workers;

    /// Each start of a worker is a new incarnation: `Engine::new` in `worker/engine.rs`.
    IncarnationIsNew breaks CulpritsAreFound in Poison;

    /// What may have run when a worker died comes back marked, and that counts as a death: `Settlement::Rescue` in
    /// `storage/moves.rs`, `deaths` in `job/row.rs`.
    RescuedAreSuspects breaks CulpritsAreFound in Poison;

    /// Each suspect gets a claim row of its own before it may begin: `take_in` in `worker/claim.rs`.
    SuspectsAreSplit breaks NeighboursAreInnocent in Poison;

    /// That a suspect begins is written down before it does: `one` in `worker/execute.rs`, `start.sql`.
    SuspectIsStartedBeforeItRuns breaks CulpritsAreFound in Poison;

    /// A suspect whose claim row does not say that it began has not begun, whatever row that is: `rescued` in
    /// `maintenance/rescue.rs`.
    SuspectThatHasNotBegunIsReleased breaks NeighboursAreInnocent in Poison;

    /// Jobs on their last chance run one at a time: the quarantine is one task, `supervise` in `worker/run.rs`.
    LastChancesRunOneByOne breaks NeighboursAreInnocent in Poison;

    /// The outcome of one is stored before the next one begins: `has_stored` in `worker/quarantine.rs`. If that one kills
    /// the worker, the one before it would still be written down as begun.
    LastChanceWaitsForTheOneBefore breaks NeighboursAreInnocent in Poison;

    /// The third death ends a job: `CRASHES_MAX` in `job/settle.rs`.
    ThirdCrashEnds breaks CulpritsAreFound in Poison;

    /// A job that was stopped or had not begun goes back as if it had never been claimed: `Outcome::Interrupted` in
    /// `job/settle.rs`.
    InterruptBurnsNoAttempt breaks GracefulStopCostsNothing in Calm;

    /// A worker leaves the list of the living after everything is stored or given back: `drain::drain`, and `leave` at
    /// the end of `supervise` in `worker/run.rs`.
    DrainSettlesBeforeItLeaves breaks OverlapNeedsACause in Calm;

    /// What has been claimed and has not begun is given back in a drain: `give_back_held` in `worker/drain.rs`.
    DrainGivesBack breaks GracefulStopCostsNothing in Batches;

    /// Outcomes are sent until the database has answered: `store` in `worker/settle.rs`.
    SettleIsRepeated breaks OutcomesOfTheLivingCount in Forgotten;

    /// What is refused after an earlier answer was lost was stored by that call, if the lease still stands: `was_stored`
    /// in `worker/settle.rs` sends a beat. Else a worker would drop what it took for lost.
    RefusedAsksForTheLease breaks OutcomesOfTheLivingCount in LostSplit;

    /// A claim whose answer was lost is handed back by the worker that it names: `maintenance/forgotten.rs`.
    ForgottenIsHandedBack breaks NothingGetsStuck in Forgotten;

    /// What the worker has open, or on its way into the database, is not forgotten: `Engine::knows`.
    ForgottenAsksWhatIsKnown breaks OverlapNeedsACause in Forgotten;

    /// A claim is forgotten after a lease at the earliest, and no call takes as long: `held.sql`, `CALL_MAX`.
    ForgottenWaitsForAnswers breaks OverlapNeedsACause in Forgotten;

    /// Only what looks forgotten twice is: `doubted` in `maintenance/forgotten.rs`. An outcome is for a moment neither in
    /// its slot nor in the outbox.
    ForgottenLooksTwice breaks OutcomesOfTheLivingCount in Forgotten;

    /// What ends while its batch is being split is kept back until the split is written: `Rows::Splitting` in
    /// `worker/open.rs`.
    SplitKeepsBack breaks OutcomesOfTheLivingCount in Batches;

    /// Who cancels a job locks it before copying it into another room: `lock_job.sql`, where `texts.has(LOCK_JOB)`.
    CancelLocksTheJob breaks CancelledNeverRuns in Cancel;

    /// Who meets a wish to stop holds it until the job is cancelled: `for update` in `is_unwanted.sql`.
    WishIsHeldWhileItIsMet breaks WantedAgainIsNotCancelled in Cancel;

    /// Who wants a finished job again takes the wish to stop it back: `DROP_CANCEL` in `retry` of `storage/rooms.rs`.
    RetryDropsTheWish breaks WantedAgainIsNotCancelled in Cancel;

    /// A job whose id the caller gave is stored once: `is_known.sql`.
    EnqueueIsIdempotentById breaks NothingIsTwice in Enqueue;

    /// It is looked for in every room: the four `exists` in `is_known.sql`.
    EnqueueLooksIntoEveryRoom breaks NothingIsTwice in Enqueue;

    /// Who looks for an id and then stores it does so alone: `lock_id.sql`, `lock_id.mysql.sql`, SQLite's one writer.
    EnqueueLocksTheId breaks NothingIsTwice in Enqueue;

    /// An outcome names its worker: `c.worker = $3` in `settle.sql`. A second belt: a fence is given to one worker only,
    /// so that nothing breaks without this one as long as [`Guard::FenceInSettle`] holds.
    WorkerInSettle breaks NewestFenceWins in LostAnswers;
}
