//! The claimer: one for each pool. Looks for due jobs, takes as many as the pool wants, hands them to the slots.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::engine::Engine;
use super::lanes::Lanes;
use super::open::{OpenClaim, Run};
use super::pool::Pool;
use super::{execute, quarantine};
use crate::events::Event;
use crate::job::{Claim, ClaimedJob, Settlement};
use crate::pause::some_of;
use crate::storage::{ClaimEnd, Known, StorageError};

/// The pause between two looks when there was work a moment ago; it doubles with each look in vain.
const POLL_BUSY: Duration = Duration::from_millis(50);
/// While there is work, the lanes are looked at anew this often.
const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// A sweep may cost a twentieth of the time at most.
const SWEEP_SHARE: u32 = 20;
/// But one that was slow once must not keep others waiting for long.
const PACE_MAX: Duration = Duration::from_secs(2);
/// Reading the lanes from their heads on, past what this worker cannot read, may cost half of that.
const WALK_SHARE: u32 = 2 * SWEEP_SHARE;
/// But no lane waits for longer than this.
const WALK_MAX: Duration = Duration::from_secs(60);
/// How long a worker rests at most when there is something due that it cannot read.
const BEHIND_UNREAD: Duration = Duration::from_secs(1);
/// How many jobs at the head of a lane are looked at, to be set aside if nobody reads them. It takes about ten milliseconds.
const SET_ASIDE: u32 = 500;
/// How long a job waits whose large arguments could not be fetched.
const FETCH_AGAIN: Duration = Duration::from_secs(10);

/// What a claimer remembers.
struct Claimer {
    engine: Arc<Engine>,
    pool: Arc<Pool>,
    lanes: Lanes,
    bell: watch::Receiver<u64>,
    swept: Instant,
    sweep_cost: Duration,
    /// When lanes were last read from their heads on, and how long that took; `None`: the next claim does.
    walked: Option<Instant>,
    walk_cost: Duration,
    /// The last sweep put the cursors back to the heads.
    rewound: bool,
    /// How many jobs were set aside since there were any that nobody reads.
    aside: u64,
    /// What this worker reads.
    known: Vec<Known>,
    /// How long until the first job that is not due yet.
    next_due: Option<Instant>,
    pause: Duration,
    /// The bell was rung.
    rung: bool,
}

/// Claims until the worker drains.
pub(crate) async fn claimer(engine: Arc<Engine>, pool: Arc<Pool>) {
    let bell = engine.client.bell().hear();
    let mut claimer = Claimer {
        known: engine.registry.known(),
        engine,
        pool,
        lanes: Lanes::default(),
        bell,
        swept: Instant::now(),
        sweep_cost: Duration::ZERO,
        walked: None,
        walk_cost: Duration::ZERO,
        rewound: false,
        aside: 0,
        next_due: None,
        pause: POLL_BUSY,
        rung: false,
    };
    let draining = claimer.engine.draining.clone();
    while !draining.is_cancelled() {
        if claimer.engine.quiet.is_cancelled() {
            return draining.cancelled().await;
        }
        if claimer.engine.lease_is_running_out() {
            // What it claimed now would be rescued at once.
            claimer.engine.lose();
            return;
        }
        // A round is never dropped half-way: what it has claimed must reach the slots.
        if let Err(error) = claimer.round(&draining).await {
            tracing::error!(%error, "could not claim; trying again");
            tokio::select! {
                () = draining.cancelled() => {}
                () = tokio::time::sleep(some_of(Duration::from_secs(1))) => {}
            }
        }
    }
}

impl Claimer {
    async fn round(&mut self, draining: &tokio_util::sync::CancellationToken) -> Result<(), StorageError> {
        let backed_up = self.engine.unsettled().saturating_add(self.engine.quarantine.held_jobs());
        let want = self.pool.want(backed_up, self.engine.config.read_ahead);
        if want == 0 {
            tokio::select! {
                () = draining.cancelled() => {}
                () = self.pool.room() => {}
                // Room is always told of; this is for the run time that is measured anew.
                () = tokio::time::sleep(SWEEP_EVERY) => {}
            }
            return Ok(());
        }
        let (must_sweep, activity) = (self.must_sweep(), self.engine.activity());
        // What has just come most likely lies in a lane that is known: that saves a round trip.
        let before_sweep = std::mem::take(&mut self.rung) && must_sweep;
        let mut taken = if before_sweep { self.claim(want).await? } else { 0 };
        if taken == 0 {
            if must_sweep {
                self.sweep().await?;
            }
            if !self.lanes.are_empty() {
                taken = self.claim(want).await?;
            }
        }
        if must_sweep && self.set_aside().await > 0 && taken == 0 {
            return Ok(());
        }
        if taken > 0 {
            self.pool.looked(None);
        } else if must_sweep && self.rewound {
            // Only a sweep sees all lanes, and only from their heads on all that is in them.
            self.pool.looked(Some(activity));
        }
        if taken > 0 {
            self.pause = POLL_BUSY;
        }
        if taken < want && self.lanes.are_empty() {
            self.rest(draining, taken).await;
        }
        Ok(())
    }

    fn must_sweep(&self) -> bool {
        self.lanes.are_empty() || self.swept.elapsed() >= SWEEP_EVERY.max(self.pace())
    }

    /// The pause between two sweeps that their cost asks for.
    fn pace(&self) -> Duration {
        (self.sweep_cost * SWEEP_SHARE).min(PACE_MAX)
    }

    async fn sweep(&mut self) -> Result<(), StorageError> {
        let start = Instant::now();
        let seen = self.engine.storage().lanes(self.engine.config.priorities).await?;
        let pool = &self.pool.config;
        let walk_pace = (self.walk_cost * WALK_SHARE).min(WALK_MAX);
        let rewind = !self.engine.has_met_unread()
            || walk_pace <= SWEEP_EVERY
            || self.walked.is_none_or(|walked| walked.elapsed() >= walk_pace);
        let next = self.lanes.swept(seen, |queue| pool.serves(queue), rewind);
        (self.rewound, self.walked) = (rewind, self.walked.filter(|_| !rewind));
        self.next_due = next.map(|wait| start + wait);
        (self.swept, self.sweep_cost) = (Instant::now(), start.elapsed());
        Ok(())
    }

    async fn claim(&mut self, want: u32) -> Result<u32, StorageError> {
        let asked = self.lanes.ask();
        if asked.is_empty() {
            return Ok(0);
        }
        let start = Instant::now();
        let known = self.engine.has_met_unread().then_some(&*self.known);
        let by_name = known.is_some();
        let claims = match self.engine.storage().claim(self.engine.id, &asked, want, known).await {
            Ok(claims) => claims,
            Err(error) => {
                // It may have taken too long to pass over what nobody reads: then that has to go.
                self.set_aside().await;
                return Err(error);
            }
        };
        if by_name {
            let from_heads = self.walked.is_none();
            self.walk_cost = if from_heads { start.elapsed() } else { self.walk_cost.max(start.elapsed()) };
            self.walked = self.walked.or_else(|| Some(Instant::now()));
        }
        let taken = claims.iter().map(|claim| claim.jobs.len()).sum::<usize>();
        self.lanes.claimed(&asked, &claims, taken >= want as usize);
        for claim in claims {
            take_in(&self.engine, &self.pool, claim).await;
        }
        Ok(u32::try_from(taken).unwrap_or(u32::MAX))
    }

    /// Sets aside what nobody reads at the heads of lanes, so that it need not be passed over for ever; returns how many jobs.
    /// What goes wrong here keeps no other job waiting.
    async fn set_aside(&mut self) -> u64 {
        if !self.engine.has_met_unread() {
            return 0;
        }
        let (start, mut parked) = (Instant::now(), 0);
        for lane in self.lanes.heads() {
            match self.engine.storage().park_unread(&lane, self.engine.config.lease, SET_ASIDE).await {
                Ok(some) => parked += some,
                Err(error) => {
                    tracing::warn!(%error, queue = lane.queue, "could not park what nobody reads");
                    // Where the database does not answer, the others would only cost their time limits, too.
                    if error.is_unreachable() {
                        break;
                    }
                }
            }
        }
        self.sweep_cost += start.elapsed();
        match (self.aside, parked) {
            (0, 0) => {}
            (0, _) => tracing::warn!(
                "parking jobs that no living worker reads: is their crate linked? `use my_jobs as _;`"
            ),
            (jobs, 0) => tracing::info!(jobs, "parked all jobs that no living worker reads"),
            _ => {}
        }
        self.aside = if parked == 0 { 0 } else { self.aside + parked };
        parked
    }

    /// Waits until it is worth to look again: something was enqueued, something is due, or some time has passed.
    async fn rest(&mut self, draining: &tokio_util::sync::CancellationToken, taken: u32) {
        if taken > 0 {
            // What came meanwhile would be found at once; only the cost of looking sets a pace.
            let pace = self.pace().saturating_sub(self.swept.elapsed());
            if !pace.is_zero() {
                let heard = tokio::time::timeout(pace, self.bell.changed());
                tokio::select! {
                    () = draining.cancelled() => {}
                    _ = heard => {}
                }
            }
            return;
        }
        let (engine, id) = (&self.engine, self.engine.id);
        engine.client.event_sender().send(|| Event::WorkerIdle { worker: id });
        if engine.config.exit_on_complete && engine.is_idle() {
            engine.draining.cancel();
        }
        // Behind what this worker cannot read something may fall due of which no sweep knows.
        let longest =
            if self.lanes.heads().is_empty() { engine.poll() } else { BEHIND_UNREAD.min(engine.poll()) };
        let due = self.next_due.map_or(self.pause, |due| due.saturating_duration_since(Instant::now()));
        tokio::select! {
            () = draining.cancelled() => {}
            _ = self.bell.changed() => (self.rung, self.pause) = (true, POLL_BUSY),
            () = tokio::time::sleep(due.min(self.pause)) => self.pause = (self.pause * 2).min(longest),
        }
    }
}

/// Takes a claim in: fetches arguments that lie apart, gives jobs that must be alone their own claim row, fills the slots.
pub(crate) async fn take_in(engine: &Arc<Engine>, pool: &Pool, claim: Claim) {
    let alone = |job: &ClaimedJob| {
        job.meta.is_suspect() || engine.registry.get(&job.kind).is_some_and(|def| def.transactional)
    };
    let (must_split, apart) = (claim.jobs.iter().any(alone), claim.jobs.iter().any(|job| job.args.is_none()));
    let runs = OpenClaim::open(claim);
    let Some(open) = runs.first().map(|run| run.claim.clone()) else { return };
    engine.opened(open.clone());
    if apart && let Err(error) = fetch_args(engine, &runs).await {
        hand_back(engine, &runs, &error);
    }
    if must_split && let Some(end) = open.split(true) {
        split(engine, &open, end).await;
    }
    let last_chance = |run: &Run| run.held().is_some_and(|job| job.meta.is_on_its_last_chance());
    let (apart, others): (Vec<Run>, Vec<Run>) =
        if must_split { runs.into_iter().partition(last_chance) } else { (vec![], runs) };
    quarantine::admit(engine, apart);
    pool.fill(others);
}

/// Jobs whose arguments cannot be had wait a little, at no cost: what is wrong is no fault of theirs.
fn hand_back(engine: &Engine, runs: &[Run], error: &StorageError) {
    let without_args = |run: &&Run| run.held().is_some_and(|job| job.args.is_none());
    let draining = engine.draining.is_cancelled();
    if !draining {
        tracing::error!(%error, "could not fetch large arguments: their jobs go back for {FETCH_AGAIN:?}");
    }
    for run in runs.iter().filter(without_args) {
        let back = match draining {
            true => Settlement::Release,
            false => Settlement::Postpone { delay: FETCH_AGAIN },
        };
        execute::conclude(engine, run, back, Duration::ZERO);
    }
}

/// Fetches arguments that lie apart. A row that is not there is no error: the job is told so when it runs.
async fn fetch_args(engine: &Engine, runs: &[Run]) -> Result<(), StorageError> {
    let apart = |run: &Run| run.held().filter(|job| job.args.is_none()).map(|job| (*job).clone());
    let (runs, mut jobs): (Vec<&Run>, Vec<ClaimedJob>) =
        runs.iter().filter_map(|run| apart(run).map(|job| (run, job))).unzip();
    let mut pause = Duration::from_millis(50);
    while let Err(error) = engine.storage().fetch_args(&mut jobs).await {
        if !error.is_transient() || engine.draining.is_cancelled() {
            return Err(error);
        }
        tracing::warn!(%error, "could not fetch large arguments; trying again");
        tokio::time::sleep(some_of(pause)).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
    for (run, job) in runs.into_iter().zip(jobs) {
        run.replace(job);
    }
    Ok(())
}

/// Writes a split and takes note of the answer.
pub(crate) async fn split(engine: &Engine, open: &OpenClaim, end: ClaimEnd) {
    let accepted = super::settle::store(engine, vec![end]).await;
    let accepted = accepted.first().copied().unwrap_or(false);
    open.was_split(accepted).into_iter().for_each(|end| engine.settle(end));
}
