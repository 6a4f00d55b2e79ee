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

/// The model has these, and the code does not: each is a flaw of the code. Where one is mended, it leaves this list.
pub const MISSING: [Guard; 4] = [
    Guard::SuspectInABatchIsNotBlamed,
    Guard::SuspectWaitsForTheOneBefore,
    Guard::SuspectsRunAlone,
    Guard::SplitAsksWhatStands,
];

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

    /// A heartbeat never makes a lease shorter, although the clock was put back: `greatest` in `beat.sql`.
    BeatNeverGoesBack breaks OverlapNeedsACause in Clock;

    /// Each start of a worker is a new incarnation: `Engine::new` in `worker/engine.rs`.
    IncarnationIsNew breaks CulpritsAreFound in Poison;

    /// What was in flight when a worker died comes back marked: `Settlement::Rescue` in `storage/moves.rs`.
    RescuedAreSuspects breaks CulpritsAreFound in Poison;

    /// Each suspect gets a claim row of its own before it may begin: `take_in` in `worker/claim.rs`.
    SuspectsAreSplit breaks NeighboursAreInnocent in Poison;

    /// That a suspect begins is written down before it does: `worker/execute.rs`, `start.sql`.
    SuspectIsStartedBeforeItRuns breaks CulpritsAreFound in Poison;

    /// Suspects run one at a time: the quarantine has one slot, `supervise` in `worker/run.rs`.
    SuspectsRunOneByOne breaks NeighboursAreInnocent in Poison;

    /// Who was in a batch with others and is not known to have begun is not to blame: `rescued` in
    /// `maintenance/rescue.rs`.
    BatchIsNotBlamed breaks NeighboursAreInnocent in Poison;

    /// The third crash ends a job: `CRASHES_MAX` in `job/settle.rs`.
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

    /// Missing in the code: a suspect whose claim row is still that of a batch has not begun, so that it is not to blame,
    /// although it is alone in it. `rescued` in `maintenance/rescue.rs` counts a crash against it.
    SuspectInABatchIsNotBlamed breaks NeighboursAreInnocent in Poison;

    /// Missing in the code: a suspect begins only after the outcome of the one before it is stored. A slot in
    /// `worker/execute.rs` hands an outcome over and takes the next job: if that one kills the worker at once, the one
    /// before it is still written down as begun.
    SuspectWaitsForTheOneBefore breaks NeighboursAreInnocent in Poison;

    /// Missing in the code: a split that is sent again because its answer was lost, and then is refused, may have been
    /// written. `was_split` in `worker/open.rs` takes the claim for lost and drops the outcomes of what runs.
    SplitAsksWhatStands breaks OutcomesOfTheLivingCount in LostSplit;

    /// Missing in the code: while a suspect runs in the quarantine, nothing else runs on its worker. `supervise` in
    /// `worker/run.rs` runs the quarantine beside the other slots, so that a job that kills its worker for the first time
    /// is held against the suspect, too.
    SuspectsRunAlone breaks NeighboursAreInnocent in Accused;

    /// An outcome names its worker: `c.worker = $3` in `settle.sql`. A second belt: a fence is given to one worker only,
    /// so that nothing breaks without this one as long as [`Guard::FenceInSettle`] holds.
    WorkerInSettle breaks NewestFenceWins in LostAnswers;
}
