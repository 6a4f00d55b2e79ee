//! Rescue: jobs of a worker that died go back to waiting.
//!
//! Each of a batch's jobs comes back as a *suspect* and is run alone in its claim from then on, so that one that takes its
//! worker down is found out without its neighbours being blamed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Done;
use crate::events::Event;
use crate::job::{Claim, Outcome, settle};
use crate::storage::{ClaimEnd, Ended};
use crate::worker::Engine;

/// How many claims are rescued at once.
const AT_ONCE: u32 = 100;

pub(super) async fn rescue(engine: &Engine) -> Done {
    let lease = engine.config.lease;
    let mut rescued_jobs = BTreeMap::new();
    loop {
        let orphans = engine.storage().orphans(lease, AT_ONCE).await?;
        let found = orphans.len();
        for (worker, claim) in orphans {
            let jobs = claim.jobs.len();
            let end = rescued(engine, claim);
            // Settled in the dead worker's name: if another rescuer was faster its claim does not stand any more.
            if engine.storage().settle(worker, &[end]).await? == [true] {
                *rescued_jobs.entry(worker).or_insert(0) += jobs;
                engine.client.bell().now();
            }
        }
        if found < AT_ONCE as usize {
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
        let outcome = if to_blame { Outcome::Crashed } else { Outcome::Suspected };
        let settlement = settle(&job.facts(engine.registry.get(&job.kind), 0.0), outcome);
        Ended { job: Arc::new(job), settlement, ran: Duration::ZERO, finished_itself: false }
    });
    ClaimEnd { key: claim.key, ended: ended.collect(), still: vec![] }
}
