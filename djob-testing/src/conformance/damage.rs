//! Damage: rows that somebody has edited, or that rotted. For databases with SQL.

use std::time::SystemTime;

use djob::{Client, Clock, Timestamp};

use super::subject::*;
use crate::TestDatabase;

pub async fn a_claim_that_cannot_be_read_keeps_no_other_from_rescue(db: &TestDatabase) -> Checked {
    let clock = Clock::manual(Timestamp::from(SystemTime::now()));
    let subject = Subject::new(db.client_with(Client::builder().clock(clock.clone())).await, clock);
    let dead = subject.join().await?;
    subject.put_and_claim(dead, job()).await?;
    let damage = match subject.storage().database() {
        "PostgreSQL" => "update djob_claims set kinds = '{}'",
        _ => "update djob_claims set jobs = '[[\"nobody\"]]'",
    };
    assert_eq!(db.execute(damage).await?, 1);
    let whole = subject.put_and_claim(dead, job()).await?;
    subject.advance(LEASE + SECOND);
    let orphans = subject.storage().orphans(LEASE, 10).await?;
    assert_eq!(orphans.iter().map(|(_, claim)| claim.key).collect::<Vec<_>>(), [whole.key]);
    assert_eq!(subject.storage().held(dead, LEASE).await?.len(), 1);
    Ok(())
}
