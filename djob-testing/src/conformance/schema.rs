//! The tables: their version, their names, and that anybody may create them at any time. For databases with SQL.

use djob::storage::SchemaVersion;
use djob::{Client, ClientBuilder, Clock, JobState, Timestamp};

use super::subject::*;
use crate::TestDatabase;

pub async fn a_migrated_database_has_the_version_this_program_needs(db: &TestDatabase) -> Checked {
    let SchemaVersion { found, known, oldest } = db.client().schema_version().await?;
    assert_eq!(found, known);
    assert!(oldest <= known);
    db.client().check_schema().await?;
    Ok(())
}

pub async fn migrating_twice_is_migrating_once(db: &TestDatabase) -> Checked {
    let id = db.client().storage().enqueue(vec![job()]).await?[0].id();
    let version = db.client().migrate().await?;
    assert_eq!(version, db.client().migrate().await?);
    assert!(db.client().find(id).await?.is_some(), "what is there stays");
    Ok(())
}

/// Clients with a set of tables of their own, which are not there yet.
fn elsewhere() -> ClientBuilder {
    Client::builder().prefix("elsewhere_")
}

pub async fn missing_tables_are_told_by_every_verb(db: &TestDatabase) -> Checked {
    let client = db.client_with(elsewhere()).await;
    assert_eq!(client.schema_version().await?.found, 0);
    assert!(client.check_schema().await.is_err_and(|error| error.is_schema()));
    assert!(client.storage().enqueue(vec![job()]).await.is_err_and(|error| error.is_schema()));
    assert!(client.counts().await.is_err_and(|error| error.is_schema()));
    Ok(())
}

pub async fn programs_that_start_at_once_may_all_migrate(db: &TestDatabase) -> Checked {
    let mut programs = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let client = db.client_with(elsewhere()).await;
        programs.spawn(async move { client.migrate().await });
    }
    while let Some(program) = programs.join_next().await {
        let SchemaVersion { found, known, .. } = program??;
        assert_eq!(found, known);
    }
    Ok(())
}

/// Stores, claims, settles, parks, cancels and prunes a job or two: whatever names a table.
async fn live(client: Client, clock: Clock) -> Checked {
    client.migrate().await?;
    let subject = Subject::new(client, clock);
    let id = subject.put_and_settle(unique("key"), retry(SECOND)).await?;
    subject.advance(SECOND);
    let worker = subject.join().await?;
    let claim = subject.claim_batch(worker).await?;
    assert!(subject.storage().heart().await?.beat(worker, LEASE).await?.is_some());
    assert!(subject.settle(worker, all(&claim, &park("unknown_kind"))).await?);
    assert_eq!(subject.unpark(&[("conformance.plain", 1)]).await?, 1);
    subject.storage().cancel(id).await?;
    assert!(subject.storage().retry(id).await?);
    let claim = subject.claim_batch(worker).await?;
    assert!(subject.settle(worker, all(&claim, &completed())).await?);
    subject.storage().leave(worker).await?;
    assert!(subject.orphans(LEASE).await?.is_empty());
    subject.storage().bury(LEASE).await?;
    assert!(subject.storage().take_duty("prune", worker, LEASE).await?);
    subject.storage().prune(10).await?;
    subject.storage().prune_attempts(uuid::Uuid::nil().into(), 10).await?;
    assert_eq!(subject.state(id).await?, Some(JobState::Completed));
    Ok(())
}

/// Runs a whole life in tables of other names, and sees nothing of it in djob's usual ones.
async fn side_by_side(db: &TestDatabase, builder: ClientBuilder) -> Checked {
    let clock = Clock::manual(Timestamp::from(std::time::SystemTime::now()));
    live(db.client_with(builder.clock(clock.clone())).await, clock).await?;
    assert!(db.client().counts().await?.is_empty());
    Ok(())
}

pub async fn tables_of_another_prefix_live_beside_the_usual_ones(db: &TestDatabase) -> Checked {
    side_by_side(db, elsewhere()).await
}

pub async fn a_prefix_may_hold_the_usual_one(db: &TestDatabase) -> Checked {
    side_by_side(db, Client::builder().prefix("my_djob_")).await
}
