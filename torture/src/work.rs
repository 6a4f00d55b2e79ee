//! A worker process.

use std::sync::Arc;
use std::time::Duration;

use djob::{BoxError, Event, Worker};

use crate::args::Work;
use crate::jobs::{self, Desk};
use crate::ledger;

/// Works until it is told to end, or ended.
pub(crate) async fn run(args: Work) -> Result<(), BoxError> {
    let client = connect(&args.url).await?;
    let desk = Desk::open(&args.ledger, args.skew, &args.url)?;
    let told = Arc::new(ledger::Ledger::open(&args.ledger, args.skew)?);
    let mut events = client.events();
    let (over, mut is_over) = tokio::sync::oneshot::channel::<()>();
    let listening = tokio::spawn({
        let told = told.clone();
        async move {
            loop {
                let event = tokio::select! {
                    // What was told before the worker was over is noted first.
                    biased;
                    event = events.next() => event,
                    _ = &mut is_over => None,
                };
                let Some(event) = event else { return };
                let at = told.now();
                match event {
                    Event::Settled { id, state, .. } => {
                        told.note(&ledger::Event::Settled {
                            at,
                            id: *id.as_uuid(),
                            state: state.to_string(),
                        });
                    }
                    Event::Refused { id, .. } => {
                        told.note(&ledger::Event::Refused { at, id: *id.as_uuid() });
                    }
                    Event::WorkerStarted { .. } => told.note(&ledger::Event::Joined { at }),
                    _ => {}
                }
            }
        }
    });
    let lease = Duration::from_secs(args.lease);
    let mut worker = Worker::new(&client)
        .name(&args.name)
        .concurrency(args.concurrency)
        .lease(lease / 6, lease)
        // The longest jobs take longer: a deploy interrupts them.
        .shutdown(Duration::from_secs(2), Duration::from_secs(1))
        .state(desk);
    if args.old {
        worker = worker.only(jobs::known_before());
    }
    let ran = worker.run().await;
    drop(over);
    listening.await?;
    ran?;
    Ok(())
}

/// A process that starts while the database is away waits for it, as one that is supervised would.
pub(crate) async fn connect(url: &str) -> Result<djob::Client, BoxError> {
    let mut tries = 0;
    loop {
        let connected = async {
            let client = djob::connect(url).await?;
            client.check_schema().await?;
            Ok::<_, djob::StorageError>(client)
        };
        match connected.await {
            Ok(client) => return Ok(client),
            Err(error) if tries == 200 => return Err(error.into()),
            Err(_) => tries += 1,
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
