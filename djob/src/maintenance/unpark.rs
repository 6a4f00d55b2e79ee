//! Unpark: jobs that were set aside because no worker could read them come back when one is there that can.

use super::Done;
use crate::worker::Engine;

/// How many of a kind come back at a time: nobody waits for long for the rows that are moved.
const AT_ONCE: u32 = 2000;

pub(super) async fn unpark(engine: &Engine) -> Done {
    let known = engine.registry.known();
    let mut back = 0;
    loop {
        let some = engine.storage().unpark(&known, AT_ONCE).await?;
        if some == 0 {
            break;
        }
        back += some;
        engine.client.bell().now();
    }
    if back > 0 {
        tracing::info!(jobs = back, "jobs that no worker could read before are waiting again");
    }
    Ok(())
}
