//! The settler: stores what became of jobs, many at a time, and does not rest until it is stored or refused.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::engine::Engine;
use super::open::OPEN_MAX;
use crate::events::Event;
use crate::job::settle::Keep;
use crate::job::{Attempt, ClaimKey, JobState, Settlement};
use crate::pause::some_of;
use crate::storage::{ClaimEnd, Ended, Still, StorageError};

/// How long a worker that aborts goes on trying to store outcomes.
const LAST_TRIES: Duration = Duration::from_secs(10);
/// How often a database may refuse an outcome before the job is set aside instead.
const REFUSALS_MAX: u32 = 5;
/// After so many refusals in a row of calls the fault lies with no single outcome, and nobody waits between them any more.
const HOPELESS: u32 = 20;

/// Stores outcomes until the worker is over.
pub(crate) async fn settler(engine: Arc<Engine>) {
    loop {
        tokio::select! {
            () = engine.outbox_filled.notified() => {}
            () = engine.over.cancelled() => return flush(&engine).await,
        }
        flush(&engine).await;
    }
}

/// Stores everything there is to store.
pub(crate) async fn flush(engine: &Engine) {
    loop {
        let ends = engine.take_outbox();
        if ends.is_empty() {
            return;
        }
        let jobs = ends.iter().map(|end| end.ended.len()).sum();
        let fences: Vec<Uuid> = ends.iter().map(|end| end.key.fence).collect();
        store(engine, ends).await;
        fences.into_iter().for_each(|fence| engine.arrived(fence));
        engine.settled(jobs);
    }
}

/// Splits batches that have been open for too long, and hands back what waits here for too long, until the worker is over.
pub(crate) async fn splitter(engine: Arc<Engine>) {
    let mut ticks = tokio::time::interval(OPEN_MAX / 5);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = engine.over.cancelled() => return,
        }
        for open in engine.still_open() {
            let split = if open.is_slow() { open.split(false) } else { None };
            let back = open.hand_back();
            if split.is_some() || !back.is_empty() {
                engine.pools.iter().for_each(|pool| pool.was_slow());
            }
            back.into_iter().for_each(|end| engine.settle(end));
            if let Some(end) = split {
                super::claim::split(&engine, &open, end).await;
            }
        }
    }
}

/// Stores what became of claims; returns for each whether it was accepted. Tries again until the database answers, until the
/// lease is lost (then others have the jobs, and nothing that is said here counts), or until there is no hope.
pub(crate) async fn store(engine: &Engine, ends: Vec<ClaimEnd>) -> Vec<bool> {
    store_again(engine, ends, &mut Trial::new()).await
}

/// What has happened so far to outcomes that are to be stored.
struct Trial {
    begin: Instant,
    /// They may have been stored already, by a call whose answer was lost.
    answer_lost: bool,
    /// How often the database has refused any of them.
    refusals: u32,
}

impl Trial {
    fn new() -> Self {
        Trial { begin: Instant::now(), answer_lost: false, refusals: 0 }
    }
}

async fn store_again(engine: &Engine, mut ends: Vec<ClaimEnd>, trial: &mut Trial) -> Vec<bool> {
    let (mut pause, mut refusals) = (Duration::from_millis(20), 0);
    while !ends.is_empty() {
        // A worker that ends does not wait for ever: its claims are rescued later.
        let too_long = engine.abort.is_cancelled() && trial.begin.elapsed() > LAST_TRIES;
        if engine.lost() || too_long || refusals > 2 * REFUSALS_MAX {
            return refused(engine, &ends);
        }
        match engine.storage().settle(engine.id, &ends).await {
            Ok(mut accepted) => {
                if trial.answer_lost {
                    for (end, accepted) in ends.iter().zip(&mut accepted) {
                        *accepted = *accepted || was_stored(engine, end).await;
                    }
                }
                ends.iter().zip(&accepted).for_each(|(end, accepted)| tell(engine, end, *accepted));
                return accepted;
            }
            // No outcome is to blame for a setting.
            Err(error) if error.is_transient() || error.is_setting() => {
                tracing::warn!(%error, "could not store outcomes; trying again");
                trial.answer_lost = true;
                tokio::time::sleep(some_of(pause)).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err(error) if ends.len() > 1 => return in_halves(engine, ends, &error, trial).await,
            Err(error) if ends[0].ended.len() > 1 => {
                return apart(engine, &ends[0], &error, trial).await;
            }
            Err(error) => {
                tracing::error!(%error, "an outcome cannot be stored: storing that fact instead");
                (refusals, trial.refusals) = (refusals + 1, trial.refusals + 1);
                let hopeless = trial.refusals > HOPELESS;
                ends.iter_mut().for_each(|end| fall_back(end, &error, hopeless || refusals > REFUSALS_MAX));
                if !hopeless {
                    tokio::time::sleep(some_of(pause)).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
            }
        }
    }
    vec![]
}

/// Whether an outcome that is refused, after an earlier answer was lost, was stored by that earlier call. What it left behind
/// says so.
async fn was_stored(engine: &Engine, end: &ClaimEnd) -> bool {
    let itself = |ended: &&Ended| ended.finished_itself;
    let leaves_a_trace = |ended: &&Ended| match &ended.settlement {
        Settlement::Finish { keep, .. } => *keep != Keep::For(Duration::ZERO),
        settlement => matches!(settlement, Settlement::Retry { .. }),
    };
    if let Some(ended) = end.ended.iter().find(itself) {
        // Its claim row is gone either way: by its own transaction, or because what was to be said if that failed was stored.
        return is_unfinished(engine, ended).await;
    }
    match end.ended.iter().find(leaves_a_trace) {
        Some(ended) => is_by_this_worker(engine, ended).await,
        // As long as its lease stands nobody but this worker touches its claims, unless the server has lost them in a crash: then
        // what is said under them later is refused, too.
        None => still_lives(engine).await,
    }
}

async fn is_by_this_worker(engine: &Engine, ended: &Ended) -> bool {
    let (storage, id) = (engine.storage(), ended.job.id);
    persistently(engine, "could not look for an outcome", || async move {
        if !matches!(ended.settlement, Settlement::Retry { .. }) {
            return storage.has_finished(engine.id, id).await;
        }
        let attempts = storage.attempts(id).await?;
        let this = |at: &Attempt| at.worker == engine.id && at.attempt == ended.job.attempt.saturating_add(1);
        Ok(attempts.iter().any(this))
    })
    .await
}

async fn is_unfinished(engine: &Engine, ended: &Ended) -> bool {
    persistently(engine, "could not look for a job", || async {
        let row = engine.storage().find(ended.job.id).await?;
        Ok(row.is_some_and(|row| row.state != JobState::Completed))
    })
    .await
}

/// Whether this worker is alive by the database's judgement, now and ever since it joined: a beat after the lease is refused.
async fn still_lives(engine: &Engine) -> bool {
    persistently(engine, "could not ask for the lease", || async {
        let beaten = engine.storage().heart().await?.beat(engine.id, engine.config.lease).await?;
        Ok(beaten.is_some())
    })
    .await
}

/// Asks until there is an answer; `false` once the lease is lost.
async fn persistently<F>(engine: &Engine, what_failed: &str, ask: impl Fn() -> F) -> bool
where
    F: Future<Output = Result<bool, StorageError>>,
{
    while !engine.lost() {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => tracing::warn!(%error, "{what_failed}; trying again"),
        }
        tokio::time::sleep(some_of(Duration::from_millis(200))).await;
    }
    false
}

/// Notes that a suspect begins; `false` if it is not this worker's any more.
pub(crate) async fn start(engine: &Engine, key: ClaimKey) -> bool {
    persistently(engine, "could not note that a job begins", || engine.storage().start(engine.id, key)).await
}

/// One outcome that the database refuses must not keep the others from being stored: it is looked for by halves.
async fn in_halves(
    engine: &Engine,
    mut ends: Vec<ClaimEnd>,
    error: &StorageError,
    trial: &mut Trial,
) -> Vec<bool> {
    tracing::warn!(%error, claims = ends.len(), "outcomes are stored in two parts");
    let rest = ends.split_off(ends.len() / 2);
    let mut accepted = Box::pin(store_again(engine, ends, trial)).await;
    accepted.extend(Box::pin(store_again(engine, rest, trial)).await);
    accepted
}

/// Nor may it keep its neighbours in the claim from it: each job gets a claim row of its own, and is settled there. What is
/// answered speaks for the claim alone.
async fn apart(engine: &Engine, end: &ClaimEnd, error: &StorageError, trial: &mut Trial) -> Vec<bool> {
    tracing::warn!(%error, jobs = end.ended.len(), "the outcomes of a claim are stored apart");
    let still = |ended: &Ended| Still { job: ended.job.clone(), started: false };
    let split = ClaimEnd {
        key: end.key,
        ended: vec![],
        still: end.ended.iter().map(still).chain(end.still.iter().cloned()).collect(),
    };
    if Box::pin(store_again(engine, vec![split], trial)).await != [true] {
        return refused(engine, std::slice::from_ref(end));
    }
    let alone = |ended: &Ended| ClaimEnd {
        key: ClaimKey { row: ended.job.id.0, fence: end.key.fence },
        ended: vec![ended.clone()],
        still: vec![],
    };
    Box::pin(store_again(engine, end.ended.iter().map(alone).collect(), trial)).await;
    vec![true]
}

/// Replaces whatever a job itself said by plain words that every database can store; where that does not help, the job is set
/// aside.
fn fall_back(end: &mut ClaimEnd, error: &StorageError, set_aside: bool) {
    for ended in &mut end.ended {
        let said = format!("the outcome could not be stored: {}", error.to_string().escape_debug());
        if set_aside {
            ended.settlement = Settlement::Park { reason: "unstorable_outcome", detail: said };
            continue;
        }
        match &mut ended.settlement {
            Settlement::Finish { result, error, .. } => (*result, *error) = (None, Some(said)),
            Settlement::Retry { error, .. } => *error = said,
            Settlement::Park { detail, .. } => *detail = said,
            _ => {}
        }
    }
}

fn refused(engine: &Engine, ends: &[ClaimEnd]) -> Vec<bool> {
    ends.iter().for_each(|end| tell(engine, end, false));
    vec![false; ends.len()]
}

/// Tells those who listen what became of the jobs.
fn tell(engine: &Engine, end: &ClaimEnd, accepted: bool) {
    let events = engine.client.event_sender();
    if !accepted && end.ended.iter().any(|ended| !ended.finished_itself) {
        let fence = end.key.fence;
        tracing::warn!(%fence, jobs = end.ended.len(), "outcomes were refused: the claim does not stand any more");
    }
    if !events.watched() {
        return;
    }
    for Ended { job, settlement, ran, finished_itself } in &end.ended {
        let (id, kind) = (job.id, job.kind.clone());
        if !accepted && *finished_itself {
            events.send(|| Event::Settled {
                id,
                kind,
                state: JobState::Completed,
                result: None,
                error: None,
                ran: *ran,
            });
            continue;
        }
        if !accepted {
            events.send(|| Event::Refused { id, kind });
            continue;
        }
        let text = |text: &Option<String>| text.as_deref().map(Into::into);
        let (state, result, error) = match settlement {
            Settlement::Finish { state, result, error, .. } => (*state, text(result), text(error)),
            Settlement::Retry { error, .. } => (JobState::Scheduled, None, Some(error.as_str().into())),
            Settlement::Snooze { .. } | Settlement::Postpone { .. } => (JobState::Scheduled, None, None),
            Settlement::Release | Settlement::Rescue { .. } => (JobState::Ready, None, None),
            Settlement::Park { detail, .. } => (JobState::Parked, None, Some(detail.as_str().into())),
        };
        events.send(|| Event::Settled { id, kind, state, result, error, ran: *ran });
    }
}
