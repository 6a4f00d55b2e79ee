//! Rescue: jobs of a worker that died go back to waiting.
//!
//! Each of a batch's jobs comes back as a *suspect* and is alone in its claim from then on, so that one that takes its worker
//! down is found out without its neighbours being blamed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::Done;
use crate::events::Event;
use crate::job::{Claim, JobState, Outcome, Settlement, settle};
use crate::storage::{ClaimEnd, Ended, Orphans};
use crate::worker::{Engine, JobContext, call_hooks};

/// How many claims are looked at at once,
const AT_ONCE: u32 = 100;
/// and how many jobs are settled at once, unless one claim alone has more.
const JOBS_AT_ONCE: usize = 500;

pub(super) async fn rescue(engine: &Engine) -> Done {
    let lease = engine.config.lease;
    let mut rescued_jobs = BTreeMap::new();
    // Page by page, so that claims that cannot be read or settled do not stand before the others.
    let mut page = Some(Uuid::nil());
    while let Some(after) = page {
        let Orphans { claims: orphans, next } = engine.storage().orphans(lease, after, AT_ONCE).await?;
        page = next;
        if orphans.iter().any(|(worker, _)| *worker == engine.id) {
            tracing::error!("the worker's own jobs are up for rescue: its lease is lost");
            engine.lose();
            return Ok(());
        }
        let mut settled = false;
        for (worker, ends) in batches(engine, orphans) {
            // Settled in the gone worker's name: if another rescuer was faster its claim does not stand any more.
            let accepted = settle_all(engine, worker, &ends).await;
            for end in ends.iter().zip(accepted).filter_map(|(end, accepted)| accepted.then_some(end)) {
                settled = true;
                *rescued_jobs.entry(worker).or_insert(0) += end.ended.len();
                end.ended.iter().for_each(|ended| tell_of_failure(engine, worker, end, ended));
            }
        }
        if settled {
            engine.client.bell().now();
        }
    }
    for (worker, jobs) in rescued_jobs {
        tracing::warn!(%worker, jobs, "rescued the jobs of a worker that died");
        engine.client.event_sender().send(|| Event::Rescued { jobs, worker });
    }
    engine.storage().bury(lease * 10).await?;
    Ok(())
}

/// The claims as they are to be settled, many of one worker at a time. Each rescuer begins elsewhere, so that they meet less.
fn batches(engine: &Engine, mut orphans: Vec<(Uuid, Claim)>) -> Vec<(Uuid, Vec<ClaimEnd>)> {
    let begin = engine.id.as_u128() % (orphans.len().max(1) as u128);
    orphans.rotate_left(usize::try_from(begin).unwrap_or(0));
    let mut batches: Vec<(Uuid, Vec<ClaimEnd>)> = vec![];
    for (worker, claim) in orphans {
        let end = rescued(engine, claim);
        let jobs = |ends: &[ClaimEnd]| ends.iter().map(|end| end.ended.len()).sum::<usize>();
        match batches.last_mut() {
            Some((same, ends)) if *same == worker && jobs(ends) + end.ended.len() <= JOBS_AT_ONCE => {
                ends.push(end);
            }
            _ => batches.push((worker, vec![end])),
        }
    }
    batches
}

/// Settles them in one go; where that fails, one by one: a claim that cannot be settled must not keep the others from it.
async fn settle_all(engine: &Engine, worker: Uuid, ends: &[ClaimEnd]) -> Vec<bool> {
    match engine.storage().settle(worker, ends).await {
        Ok(accepted) => accepted,
        Err(error) if ends.len() == 1 => {
            tracing::error!(%error, fence = %ends[0].key.fence, "could not rescue a claim");
            vec![false]
        }
        Err(_) => {
            let mut accepted = Vec::with_capacity(ends.len());
            for end in ends {
                accepted.extend(Box::pin(settle_all(engine, worker, std::slice::from_ref(end))).await);
            }
            accepted
        }
    }
}

fn rescued(engine: &Engine, claim: Claim) -> ClaimEnd {
    let batch = claim.key.row == claim.key.fence;
    let to_blame = claim.started || (batch && claim.jobs.len() == 1);
    let ended = claim.jobs.into_iter().map(|job| {
        let outcome = match job.meta.is_suspect() {
            // Before a suspect begins, that is noted.
            true if !claim.started => Outcome::Interrupted,
            _ if to_blame => Outcome::Crashed,
            _ => Outcome::Suspected,
        };
        let settlement = settle(&job.facts(engine.registry.get(&job.kind), 0.0), outcome);
        Ended { job: Arc::new(job), settlement, ran: Duration::ZERO, finished_itself: false }
    });
    ClaimEnd { key: claim.key, ended: ended.collect(), still: vec![] }
}

/// A job that took too many workers down has failed: those who listen and the hooks hear of it as of any failure.
fn tell_of_failure(engine: &Engine, worker: Uuid, end: &ClaimEnd, ended: &Ended) {
    let Settlement::Finish { state: state @ JobState::Failed, error: Some(error), .. } = &ended.settlement
    else {
        return;
    };
    let job = &ended.job;
    engine.client.event_sender().send(|| Event::Settled {
        id: job.id,
        kind: job.kind.clone(),
        state: *state,
        result: None,
        error: Some(error.as_str().into()),
        ran: Duration::ZERO,
    });
    if let Some(def) = engine.registry.get(&job.kind) {
        let ctx = JobContext::of(&engine.client, &engine.state, worker, end.key, job, def);
        call_hooks(engine, |hooks| hooks.failure(&ctx, error));
    }
}
