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
use crate::storage::{ClaimEnd, Ended};
use crate::worker::{Engine, JobContext, call_hooks};

/// How many claims are rescued at once.
const AT_ONCE: u32 = 100;

pub(super) async fn rescue(engine: &Engine) -> Done {
    let lease = engine.config.lease;
    let mut rescued_jobs = BTreeMap::new();
    loop {
        let orphans = engine.storage().orphans(lease, AT_ONCE).await?;
        let (found, mut settled) = (orphans.len(), 0);
        for (worker, claim) in orphans {
            if worker == engine.id {
                tracing::error!("the worker's own jobs are up for rescue: its lease is lost");
                engine.lose();
                return Ok(());
            }
            let end = rescued(engine, claim);
            // Settled in the gone worker's name: if another rescuer was faster its claim does not stand any more.
            match engine.storage().settle(worker, std::slice::from_ref(&end)).await {
                Ok(accepted) if accepted == [true] => settled += 1,
                Ok(_) => continue,
                // One claim that cannot be settled must not keep the others from it.
                Err(error) => {
                    tracing::error!(%error, fence = %end.key.fence, "could not rescue a claim");
                    continue;
                }
            }
            *rescued_jobs.entry(worker).or_insert(0) += end.ended.len();
            end.ended.iter().for_each(|ended| tell_of_failure(engine, worker, &end, ended));
        }
        if settled > 0 {
            engine.client.bell().now();
        }
        if found < AT_ONCE as usize || settled == 0 {
            break;
        }
    }
    for (worker, jobs) in rescued_jobs {
        tracing::warn!(%worker, jobs, "rescued the jobs of a worker that died");
        engine.client.event_sender().send(|| Event::Rescued { jobs, worker });
    }
    engine.storage().bury(lease * 10).await?;
    Ok(())
}

fn rescued(engine: &Engine, claim: Claim) -> ClaimEnd {
    let batch = claim.key.row == claim.key.fence;
    let to_blame = claim.started || (batch && claim.jobs.len() == 1);
    let ended = claim.jobs.into_iter().map(|job| {
        let outcome = match job.meta.is_suspect() {
            _ if to_blame => Outcome::Crashed,
            // Before a suspect begins, that is noted.
            true if !batch => Outcome::Interrupted,
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
