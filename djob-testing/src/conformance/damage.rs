//! Damage: rows that somebody has edited, or that rotted. For databases with SQL.

use std::time::SystemTime;

use djob::{Client, Clock, Event, Timestamp};

use super::subject::*;
use super::worker::{alongside, worker_of};
use crate::TestDatabase;

pub async fn a_claim_that_cannot_be_read_keeps_no_other_from_rescue(db: &TestDatabase) -> Checked {
    let clock = Clock::manual(Timestamp::from(SystemTime::now()));
    let subject = Subject::new(db.client_with(Client::builder().clock(clock.clone())).await, clock);
    let dead = subject.join().await?;
    subject.put_and_claim(dead, job()).await?;
    assert_eq!(db.execute(damage(&subject)).await?, 1);
    let whole = subject.put_and_claim(dead, job()).await?;
    subject.advance(LEASE + SECOND);
    let orphans = subject.orphans(LEASE).await?;
    assert_eq!(orphans.iter().map(|(_, claim)| claim.key).collect::<Vec<_>>(), [whole.key]);
    assert_eq!(subject.storage().held(dead, LEASE).await?.len(), 1);
    Ok(())
}

/// More of them than a rescuer looks at at once, and all before the one that can be read.
pub async fn many_claims_that_cannot_be_read_keep_no_other_from_rescue(db: &TestDatabase) -> Checked {
    let clock = Clock::manual(Timestamp::from(SystemTime::now()));
    let subject = Subject::new(db.client_with(Client::builder().clock(clock.clone())).await, clock);
    let dead = subject.join().await?;
    for _ in 0..120 {
        subject.put_and_claim(dead, job()).await?;
    }
    assert_eq!(db.execute(damage(&subject)).await?, 120);
    subject.put_and_claim(dead, job()).await?;
    subject.advance(LEASE + SECOND);
    assert_eq!(subject.orphans(LEASE).await?.len(), 1);
    let mut events = subject.client().events();
    alongside(worker_of(&subject, []), async {
        events.until(|event| matches!(event, Event::Rescued { .. }).then_some(())).await;
        Ok(())
    })
    .await?;
    assert!(subject.orphans(LEASE).await?.is_empty());
    Ok(())
}

/// Makes every claim unreadable.
fn damage(subject: &Subject) -> &'static str {
    match subject.storage().database() {
        "PostgreSQL" => "update djob_claims set kinds = '{}'",
        _ => "update djob_claims set jobs = '[[\"nobody\"]]'",
    }
}
