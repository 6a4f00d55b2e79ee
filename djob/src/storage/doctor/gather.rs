//! Asking: the same way for all databases, one question at a time, so that one which is refused spoils no other.

use std::time::Instant;

use super::{Check, Fact};
use crate::clock::{Timestamp, micros};
use crate::storage::statement::Statement::{self, *};
use crate::storage::statement::Texts;
use crate::storage::verbs::{Now, Result, Verbs};

/// Of how many lanes the first jobs are looked at, and at how many: enough to meet every kind, too little to be felt.
const LANES_MAX: usize = 100;
const JOBS_MAX: i64 = 1000;

/// All that the checks need to know, each once.
pub(crate) fn sources(checks: &[&[Check]]) -> Vec<Statement> {
    let mut sources = Vec::new();
    for source in checks.iter().copied().flatten().flat_map(|check| check.needs) {
        if !sources.contains(source) {
            sources.push(*source);
        }
    }
    sources
}

/// Asks one question.
pub(crate) async fn ask<D: Verbs>(
    conn: &mut D::Connection,
    texts: &Texts,
    now: Now,
    source: Statement,
) -> Result<Vec<Fact>> {
    match source {
        CLOCK => clock::<D>(conn, texts).await,
        LANES => lanes::<D>(conn, texts, now).await,
        _ => D::facts(conn, texts, source, now).await,
    }
}

/// By how much the server's clock is ahead of the host's, and how long the answer took.
async fn clock<D: Verbs>(conn: &mut D::Connection, texts: &Texts) -> Result<Vec<Fact>> {
    let (begun, asked_at) = (Instant::now(), Timestamp::host());
    let told = D::clock(conn, texts, None).await?;
    let took = micros(begun.elapsed());
    let ahead = told.as_micros() - asked_at.as_micros() - took / 2;
    Ok(vec![Fact::new("clock", "").figure(ahead).age(took)])
}

/// Every lane, for how long its first job has been due, and the kinds at the heads of those that wait for longest.
async fn lanes<D: Verbs>(conn: &mut D::Connection, texts: &Texts, now: Now) -> Result<Vec<Fact>> {
    let (mut facts, mut lanes) = (Vec::new(), D::lanes(conn, texts, (i16::MIN, i16::MAX), now).await?);
    lanes.sort_by_key(|lane| lane.due_at);
    for (number, lane) in lanes.into_iter().enumerate() {
        if number < LANES_MAX {
            facts.extend(D::kinds_of(conn, texts, &lane, JOBS_MAX, now).await?);
        }
        let due_for = lane.seen_at.as_micros() - lane.due_at.as_micros();
        facts.push(Fact::new("lane", lane.queue).figure(lane.priority.into()).age(due_for));
    }
    Ok(facts)
}
