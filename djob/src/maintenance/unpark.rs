//! Unpark: jobs that were set aside because no worker could read them come back when one is there that can.

use super::Done;
use crate::storage::AWAIT_A_WORKER;
use crate::worker::Engine;

/// How many of a kind come back at a time: nobody waits for long for the rows that are moved.
const AT_ONCE: u32 = 2000;

pub(super) async fn unpark(engine: &Engine) -> Done {
    let known = engine.registry.known();
    let mut back = 0;
    for reason in AWAIT_A_WORKER {
        let parked = engine.storage().parked_kinds(reason).await?;
        for known in known.iter().filter(|known| parked.contains(&known.kind)) {
            loop {
                let some = engine.storage().unpark(reason, known, AT_ONCE).await?;
                if some == 0 {
                    break;
                }
                back += some;
                engine.client.bell().now();
            }
        }
    }
    if back > 0 {
        tracing::info!(jobs = back, "jobs that no worker could read before are waiting again");
    }
    Ok(())
}
