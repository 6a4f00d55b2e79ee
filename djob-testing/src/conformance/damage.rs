//! Damage: rows that somebody has edited, or that rotted. For databases with SQL.

use std::time::{Duration, SystemTime};

use djob::storage::{ClaimEnd, Cursor, Known};
use djob::{Client, Clock, Event, Filter, JobState, NewJob, Settlement, Timestamp};

use super::subject::*;
use super::worker::{alongside, worker_of};
use crate::TestDatabase;

pub async fn a_claim_that_cannot_be_read_keeps_no_other_from_rescue(db: &TestDatabase) -> Checked {
    let subject = subject_of(db).await;
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
    let subject = subject_of(db).await;
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

/// A row that somebody has edited must not stop the claims of its pool: it runs with the nearest counts there are.
pub async fn a_waiting_row_with_impossible_values_runs_as_its_neighbours_do(db: &TestDatabase) -> Checked {
    let subject = subject_of(db).await;
    let jobs: Vec<NewJob> = (1..=5).map(|mark| NewJob { max_attempts: mark, ..job() }).collect();
    let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
    subject.storage().enqueue(jobs).await?;
    for edit in impossible_values(&subject) {
        assert_eq!(db.execute(edit).await?, 1, "{edit}");
    }
    let seen = subject.client().list(Filter::new().state(JobState::Ready)).await?;
    assert_eq!(seen.len(), ids.len(), "it can be looked at");
    let worker = subject.join().await?;
    let claim = subject.claim_batch(worker).await?;
    assert_eq!(claim.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), ids);
    assert_eq!((claim.jobs[0].attempt, claim.jobs[1].max_attempts), (0, 0));
    assert_eq!(subject.storage().held(worker, Duration::ZERO).await?.len(), 1);
    let again = Settlement::Retry { delay: SECOND, error: "once more".into() };
    assert!(subject.settle(worker, all(&claim, &again)).await?);
    for id in ids {
        assert_eq!(subject.row(id).await?.state, JobState::Scheduled);
    }
    Ok(())
}

/// The arguments of one are damaged, or gone: its neighbours run all the same.
pub async fn large_arguments_that_cannot_be_read_keep_no_neighbour_waiting(db: &TestDatabase) -> Checked {
    let subject = subject_of(db).await;
    let mut ids = vec![];
    for _ in 0..5 {
        let args = serde_json::json!({ "text": "x".repeat(2000) }).to_string();
        ids.push(subject.put(NewJob { kind: "conformance.echo".into(), args, ..job() }).await?);
    }
    assert_eq!(db.execute(damage_to_arguments(&subject)).await?, 1);
    worker_of(&subject, [super::worker::faults::echo.def()]).work_off().await?;
    let mut states = vec![];
    for id in ids {
        states.push(subject.row(id).await?.state);
    }
    states.sort_by_key(|state| *state == JobState::Parked);
    use JobState::{Completed, Parked};
    assert_eq!(states, [Completed, Completed, Completed, Completed, Parked]);
    Ok(())
}

/// What was edited is taken for what it most likely was, and what is nobody's kind is set aside; neither is an error.
pub async fn rows_that_somebody_has_edited_keep_no_claim_by_name_from_the_others(
    db: &TestDatabase,
) -> Checked {
    let subject = subject_of(db).await;
    let jobs: Vec<NewJob> = (1..=8).map(|mark| NewJob { max_attempts: mark, ..job() }).collect();
    let mut ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
    subject.storage().enqueue(jobs).await?;
    let backslash = if subject.storage().database() == "MySQL" { r"\\" } else { r"\" };
    for (mark, edit) in [
        (1, format!(r#"meta = '{{"tags":["{backslash}u0000"]}}'"#)),
        (2, r#"meta = '{"version":"x"}'"#.to_owned()),
        (3, r#"meta = '{"version":99999999999}'"#.to_owned()),
        (4, r#"meta = '{"version":-1}'"#.to_owned()),
        (5, r#"meta = '{"version":"3"}'"#.to_owned()),
        (6, format!("kind = 'a{backslash}'")),
        (7, r#"meta = '{"version":99999}'"#.to_owned()),
    ] {
        let edit = format!("update djob_jobs set {edit} where max_attempts = {mark}");
        assert_eq!(db.execute(&edit).await?, 1, "{edit}");
    }
    let known = [Known { kind: "conformance.plain".into(), version: 1 }];
    let worker = subject.join_reading(known.to_vec()).await?;
    let head = lane_at("default", 0, Cursor::HEAD);
    let claims = subject.storage().claim(worker, std::slice::from_ref(&head), 10, Some(&known)).await?;
    let nobodys: Vec<_> = ids.drain(5..7).collect();
    assert_eq!(super::subject::ids(&claims), ids);
    assert_eq!(subject.storage().park_unread(&head, LEASE, 10).await?, 2);
    for id in nobodys {
        assert_eq!(subject.state(id).await?, Some(JobState::Parked));
    }
    Ok(())
}

/// djob gives no job such a name, but it must not lose one that somebody else has put there.
pub async fn a_kind_of_any_text_is_carried_through_every_room(db: &TestDatabase) -> Checked {
    let subject = subject_of(db).await;
    let ids = subject.put_many(4).await?;
    let backslash = if subject.storage().database() == "MySQL" { r"\\" } else { r"\" };
    let edit = format!("update djob_jobs set kind = 'a \"quoted\" {backslash} kind'");
    assert_eq!(db.execute(&edit).await?, 4);
    let worker = subject.join().await?;
    let claim = subject.claim_batch(worker).await?;
    assert_eq!(subject.storage().held(worker, Duration::ZERO).await?[0].jobs.len(), 4);
    for id in &ids {
        assert_eq!(subject.row(*id).await?.kind, r#"a "quoted" \ kind"#);
    }
    let again = Settlement::Retry { delay: SECOND, error: "once more".into() };
    let park = Settlement::Park { reason: "unknown_kind", detail: "nobody knows it".into() };
    let ways = claim
        .jobs
        .iter()
        .zip([again, park, finish(JobState::Failed)])
        .map(|(job, way)| ended(job, way))
        .collect();
    let runs_on = vec![still(&claim.jobs[3])];
    assert!(subject.settle(worker, ClaimEnd { key: claim.key, ended: ways, still: runs_on }).await?);
    let rooms = [JobState::Scheduled, JobState::Parked, JobState::Failed, JobState::Running];
    for (id, room) in ids.into_iter().zip(rooms) {
        let row = subject.row(id).await?;
        assert_eq!((row.state, row.kind.as_str()), (room, r#"a "quoted" \ kind"#));
    }
    Ok(())
}

/// Edits of the rows whose `max_attempts` was 1 and so on. The last one stays as it was.
fn impossible_values(subject: &Subject) -> &'static [&'static str] {
    // The other databases have columns for small numbers only, and look at each text.
    let in_sqlite_only = 2;
    let edits = &[
        "update djob_jobs set attempt = -3 where max_attempts = 1",
        "update djob_jobs set max_attempts = -1 where max_attempts = 2",
        "update djob_jobs set attempt = 70000 where max_attempts = 3",
        "update djob_jobs set args = cast(x'7b2261223a22ff227d' as text) where max_attempts = 4",
    ];
    let cut = if subject.storage().database() == "SQLite" { 0 } else { in_sqlite_only };
    &edits[..edits.len() - cut]
}

async fn subject_of(db: &TestDatabase) -> Subject {
    let clock = Clock::manual(Timestamp::from(SystemTime::now()));
    Subject::new(db.client_with(Client::builder().clock(clock.clone())).await, clock)
}

/// Makes the large arguments of one job unreadable.
fn damage_to_arguments(subject: &Subject) -> &'static str {
    match subject.storage().database() {
        "SQLite" => {
            "update djob_args set args = cast(x'7b2261223a22ff227d' as text) where id = (select min(id) from djob_args)"
        }
        "PostgreSQL" => "delete from djob_args where id = (select id from djob_args order by id limit 1)",
        _ => "delete from djob_args order by id limit 1",
    }
}

/// Makes every claim unreadable.
fn damage(subject: &Subject) -> &'static str {
    match subject.storage().database() {
        "PostgreSQL" => "update djob_claims set kinds = '{}'",
        _ => "update djob_claims set jobs = '[[\"nobody\"]]'",
    }
}
