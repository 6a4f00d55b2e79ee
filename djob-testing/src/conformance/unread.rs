//! Unread: jobs that a worker cannot read are passed over, and set aside if nobody can.

use std::time::Duration;

use djob::storage::{Cursor, Known};
use djob::{BoxError, Due, Event, JobId, JobState, NewJob, job};

use super::subject::*;
use super::worker::worker_of;

fn of(kind: &str, version: u16) -> NewJob {
    let mut new = NewJob { kind: kind.to_owned().into(), ..job() };
    new.meta.version = version;
    new
}

fn known(kinds: &[(&str, u16)]) -> Vec<Known> {
    kinds.iter().map(|(kind, version)| Known { kind: (*kind).to_owned(), version: *version }).collect()
}

/// One job each, in this order, in one lane.
async fn put_each(subject: &Subject, jobs: &[(&str, u16)]) -> Result<Vec<JobId>, BoxError> {
    let mut ids = vec![];
    for (kind, version) in jobs {
        ids.push(subject.put(of(kind, *version)).await?);
        subject.advance(Duration::from_micros(1));
    }
    Ok(ids)
}

async fn claim_known(subject: &Subject, kinds: &[(&str, u16)], limit: u32) -> Result<Vec<JobId>, BoxError> {
    let heads = [lane_at("default", 0, Cursor::HEAD)];
    Ok(ids(&subject.storage().claim(worker(), &heads, limit, Some(&known(kinds))).await?))
}

async fn park_unread(subject: &Subject, limit: u32) -> Result<u64, BoxError> {
    Ok(subject.storage().park_unread(&lane_at("default", 0, Cursor::HEAD), LEASE, limit).await?)
}

pub async fn a_claim_by_name_takes_what_the_worker_reads_and_leaves_the_rest(subject: &Subject) -> Checked {
    let jobs = [("a", 1), ("b", 1), ("a", 2), ("a", 3), ("c", 7), ("a", 1), ("b", 2)];
    let put = put_each(subject, &jobs).await?;
    assert_eq!(claim_known(subject, &[("a", 2), ("c", 6)], 2).await?, [put[0], put[2]]);
    assert_eq!(claim_known(subject, &[("a", 2), ("c", 6)], 10).await?, [put[5]]);
    assert_eq!(claim_known(subject, &[("nobodys", 9)], 10).await?, []);
    assert_eq!(claim_known(subject, &[], 10).await?, []);
    // Nothing was lost between those that were taken.
    assert_eq!(ids(&subject.claim(worker(), 10).await?), [put[1], put[3], put[4], put[6]]);
    Ok(())
}

pub async fn what_no_living_worker_reads_is_parked_with_its_reason(subject: &Subject) -> Checked {
    let put = put_each(subject, &[("a", 1), ("a", 3), ("b", 1), ("c", 1)]).await?;
    subject.join_reading(known(&[("a", 2)])).await?;
    subject.join_reading(known(&[("a", 1), ("c", 1)])).await?;
    assert_eq!(park_unread(subject, 100).await?, 2);
    for (n, reason) in [(1, "newer_version: its arguments are of version 3"), (2, "unknown_kind: ")] {
        let row = subject.row(put[n]).await?;
        let why = row.error.unwrap_or_default();
        assert!(row.state == JobState::Parked && row.attempt == 0 && why.starts_with(reason), "{why}");
    }
    for n in [0, 3] {
        assert_eq!(subject.state(put[n]).await?, Some(JobState::Ready));
    }
    assert_eq!(park_unread(subject, 100).await?, 0);
    assert_eq!(subject.unpark(&[("a", 3), ("b", 1)]).await?, 2);
    assert_eq!(ids(&subject.claim(worker(), 10).await?), put);
    Ok(())
}

pub async fn what_only_a_silent_worker_reads_is_parked(subject: &Subject) -> Checked {
    subject.join_reading(known(&[("a", 1)])).await?;
    let id = subject.put(of("a", 1)).await?;
    assert_eq!(park_unread(subject, 100).await?, 0);
    subject.advance(LEASE + SECOND);
    assert_eq!(park_unread(subject, 100).await?, 1);
    assert_eq!(subject.state(id).await?, Some(JobState::Parked));
    Ok(())
}

pub async fn unread_jobs_are_parked_a_bounded_number_at_a_time_and_only_if_they_are_due(
    subject: &Subject,
) -> Checked {
    put_each(subject, &[("a", 1); 5]).await?;
    let later = subject.put(NewJob { due: Due::In(HOUR), ..of("a", 1) }).await?;
    let mut parked = vec![];
    while parked.last() != Some(&0) {
        parked.push(park_unread(subject, 2).await?);
    }
    assert_eq!(parked, [2, 2, 1, 0]);
    assert_eq!(subject.state(later).await?, Some(JobState::Scheduled));
    Ok(())
}

pub async fn a_job_that_is_parked_unread_keeps_its_key_tags_and_large_arguments(
    subject: &Subject,
) -> Checked {
    let mut new = NewJob { args: format!(r#"{{"text":"{}"}}"#, "x".repeat(5000)), ..unique("key") };
    new.meta.tags = vec!["signup".into()];
    let id = subject.put(new).await?;
    let before = subject.row(id).await?;
    assert_eq!(park_unread(subject, 100).await?, 1);
    assert_eq!(subject.storage().enqueue(vec![unique("key")]).await?[0].id(), id, "the key is held");
    assert_eq!(subject.unpark(&[("conformance.plain", 1)]).await?, 1);
    let after = subject.row(id).await?;
    assert_eq!((after.run_at, after.meta, after.args), (before.run_at, before.meta, before.args));
    Ok(())
}

#[job(name = "conformance.left")]
async fn left() {}

#[job(name = "conformance.right")]
async fn right() {}

async fn count(subject: &Subject, state: JobState) -> Result<i64, BoxError> {
    let counts = subject.storage().counts().await?;
    Ok(counts.iter().filter(|count| count.state == state).map(|count| count.jobs).sum())
}

/// More than a worker claims before it knows that it should not.
const MANY: usize = 3000;

pub async fn a_worker_passes_over_what_nobody_reads_and_sets_it_aside(subject: &Subject) -> Checked {
    let unread = (0..MANY).map(|_| of("conformance.nobodys", 1));
    subject.storage().enqueue(unread.collect()).await?;
    subject.advance(SECOND);
    let last = left.perform_later().on(subject.client()).await?.id();
    worker_of(subject, [left.def()]).work_off().await?;
    assert_eq!(subject.state(last).await?, Some(JobState::Completed));
    assert_eq!(count(subject, JobState::Parked).await?, i64::try_from(MANY)?);
    Ok(())
}

pub async fn two_workers_share_a_queue_of_which_each_reads_a_half(subject: &Subject) -> Checked {
    let jobs = (0..MANY).map(|n| of(if n % 2 == 0 { "conformance.left" } else { "conformance.right" }, 1));
    subject.storage().enqueue(jobs.collect()).await?;
    let mut events = subject.client().events();
    let all = async {
        while count(subject, JobState::Completed).await? < i64::try_from(MANY)? {
            let ended = events.until(|event| matches!(event, Event::Settled { .. }).then_some(())).await;
            ended.ok_or("no more events")?;
        }
        Ok(())
    };
    let one = worker_of(subject, [left.def()]);
    super::worker::alongside(one, super::worker::alongside(worker_of(subject, [right.def()]), all)).await?;
    assert!(subject.storage().parked_kinds("unknown_kind").await?.is_empty());
    Ok(())
}
