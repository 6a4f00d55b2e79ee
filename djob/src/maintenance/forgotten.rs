//! Forgotten claims: what the database holds for this worker and the worker knows nothing of, because the answer to its claim
//! was lost on the way. Nobody else may touch it while this worker lives, so it hands it back itself.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::Done;
use crate::job::{Claim, Settlement};
use crate::storage::{ClaimEnd, Ended};
use crate::worker::Engine;

/// `doubted` are the claims that looked forgotten the last time. Only what looks so twice is: an outcome is on its way into the
/// database for a moment in which neither the slot nor the outbox has it.
pub(super) async fn forgotten(engine: &Engine, doubted: &mut HashSet<Uuid>) -> Done {
    if !engine.heard.holds_old_claims() && doubted.is_empty() {
        return Ok(());
    }
    // No call takes as long as a lease: an answer that is still on its way is not taken for lost.
    let mut unknown = engine.storage().held(engine.id, engine.config.lease).await?;
    unknown.retain(|claim| !engine.knows(claim.key.fence));
    let before = std::mem::replace(doubted, unknown.iter().map(|claim| claim.key.fence).collect());
    for claim in unknown.into_iter().filter(|claim| before.contains(&claim.key.fence)) {
        let (fence, jobs) = (claim.key.fence, claim.jobs.len());
        if engine.storage().settle(engine.id, &[handed_back(claim)]).await? == [true] {
            tracing::warn!(%fence, jobs, "handed back a claim whose answer was lost");
            engine.client.bell().now();
        }
    }
    Ok(())
}

fn handed_back(claim: Claim) -> ClaimEnd {
    let ended = claim.jobs.into_iter().map(|job| Ended {
        job: Arc::new(job),
        settlement: Settlement::Release,
        ran: Duration::ZERO,
        finished_itself: false,
    });
    ClaimEnd { key: claim.key, ended: ended.collect(), still: vec![] }
}
