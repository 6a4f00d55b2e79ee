//! List and counts: what a dashboard sees.

use djob::storage::Filter;
use djob::{Due, JobId, JobState, NewJob};

use super::subject::*;

async fn listed(subject: &Subject, set: impl FnOnce(&mut Filter)) -> Result<Vec<JobId>, djob::BoxError> {
    let mut filter = Filter::default();
    filter.limit = 100;
    set(&mut filter);
    Ok(subject.storage().list(&filter).await?.into_iter().map(|row| row.id).collect())
}

/// Jobs of two queues and two kinds, in every state; returns each with its state, oldest first.
async fn one_of_each(subject: &Subject) -> Result<Vec<(JobId, JobState)>, djob::BoxError> {
    let mail = || NewJob { queue: "mail".into(), kind: "conformance.mail".into(), ..job() };
    let mut all_of_them = vec![];
    for state in [JobState::Completed, JobState::Failed, JobState::Cancelled] {
        all_of_them.push((subject.put_and_settle(job(), finish(state)).await?, state));
    }
    all_of_them.push((subject.put_and_settle(mail(), park("unknown_kind")).await?, JobState::Parked));
    let running = subject.put_and_claim(worker(), mail()).await?;
    all_of_them.push((running.jobs[0].id, JobState::Running));
    all_of_them.push((subject.put(job()).await?, JobState::Ready));
    all_of_them.push((subject.put(NewJob { due: Due::In(HOUR), ..mail() }).await?, JobState::Scheduled));
    Ok(all_of_them)
}

pub async fn jobs_of_all_rooms_are_listed_newest_first(subject: &Subject) -> Checked {
    let mut wanted: Vec<JobId> = one_of_each(subject).await?.into_iter().map(|(id, _)| id).collect();
    wanted.reverse();
    assert_eq!(listed(subject, |_| {}).await?, wanted);
    Ok(())
}

pub async fn a_state_picks_its_jobs(subject: &Subject) -> Checked {
    for (id, state) in one_of_each(subject).await? {
        assert_eq!(listed(subject, |filter| filter.state = Some(state)).await?, [id], "{state}");
    }
    Ok(())
}

pub async fn a_reason_picks_the_jobs_that_are_parked_for_it(subject: &Subject) -> Checked {
    let unknown = subject.put_and_settle(job(), park("unknown_kind")).await?;
    let broken = subject.put_and_settle(job(), park("broken_contract")).await?;
    subject.put_and_settle(job(), completed()).await?;
    subject.put(job()).await?;
    let of = async |filter: djob::Filter| {
        let rows = subject.storage().list(&filter.limit(10)).await?;
        Ok::<Vec<_>, djob::BoxError>(rows.into_iter().map(|row| row.id).collect())
    };
    assert_eq!(of(djob::Filter::new().reason("unknown_kind")).await?, [unknown]);
    assert_eq!(of(djob::Filter::new().reason("broken_contract").kind("conformance.plain")).await?, [broken]);
    assert!(of(djob::Filter::new().reason("broken_contract").kind("conformance.other")).await?.is_empty());
    assert!(of(djob::Filter::new().reason("unknown_kind").state(JobState::Ready)).await?.is_empty());
    Ok(())
}

pub async fn a_queue_and_a_kind_pick_their_jobs(subject: &Subject) -> Checked {
    let all_of_them = one_of_each(subject).await?;
    let mut mail: Vec<JobId> = [3, 4, 6].map(|n: usize| all_of_them[n].0).to_vec();
    mail.reverse();
    assert_eq!(listed(subject, |filter| filter.queue = Some("mail".into())).await?, mail);
    assert_eq!(listed(subject, |filter| filter.kind = Some("conformance.mail".into())).await?, mail);
    let both = |filter: &mut Filter| {
        (filter.queue, filter.kind) = (Some("mail".into()), Some("conformance.plain".into()));
    };
    assert!(listed(subject, both).await?.is_empty());
    Ok(())
}

/// Reads page after page of two, until one is empty.
async fn pages(subject: &Subject, set: impl Fn(&mut Filter)) -> Result<Vec<JobId>, djob::BoxError> {
    let mut all: Vec<JobId> = vec![];
    loop {
        let before = all.last().copied();
        let page = listed(subject, |filter| {
            set(filter);
            (filter.before, filter.limit) = (before, 2);
        });
        let page = page.await?;
        assert!(page.len() <= 2 && all.len() < 100);
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

pub async fn pages_follow_each_other_without_a_gap(subject: &Subject) -> Checked {
    let mut wanted: Vec<JobId> = one_of_each(subject).await?.into_iter().map(|(id, _)| id).collect();
    wanted.reverse();
    assert_eq!(pages(subject, |_| {}).await?, wanted);
    Ok(())
}

pub async fn running_jobs_come_in_pages_too(subject: &Subject) -> Checked {
    let mut wanted = vec![];
    for _ in 0..5 {
        wanted.push(subject.put_and_claim(worker(), job()).await?.jobs[0].id);
    }
    wanted.reverse();
    assert_eq!(pages(subject, |filter| filter.state = Some(JobState::Running)).await?, wanted);
    Ok(())
}

pub async fn a_running_job_is_found_behind_many_of_other_queues(subject: &Subject) -> Checked {
    let mail = subject.put_and_claim(worker(), NewJob { queue: "mail".into(), ..job() }).await?;
    for _ in 0..5 {
        subject.put_and_claim(worker(), job()).await?;
    }
    let found = listed(subject, |filter| (filter.queue, filter.limit) = (Some("mail".into()), 3)).await?;
    assert_eq!(found, ids(&[mail]));
    Ok(())
}

pub async fn jobs_are_counted_by_queue_and_state(subject: &Subject) -> Checked {
    one_of_each(subject).await?;
    subject.put_many(3).await?;
    let counts = subject.storage().counts().await?;
    let mut seen: Vec<(&str, JobState, i64)> =
        counts.iter().map(|count| (&*count.queue, count.state, count.jobs)).collect();
    seen.sort();
    use JobState::{Cancelled, Completed, Failed, Parked, Ready, Running, Scheduled};
    let wanted = [
        ("default", Ready, 4),
        ("default", Completed, 1),
        ("default", Failed, 1),
        ("default", Cancelled, 1),
        ("mail", Scheduled, 1),
        ("mail", Running, 1),
        ("mail", Parked, 1),
    ];
    assert_eq!(seen, wanted);
    Ok(())
}

pub async fn a_count_says_since_when_the_oldest_ready_job_waits(subject: &Subject) -> Checked {
    let since = subject.now();
    subject.put(job()).await?;
    subject.advance(HOUR);
    subject.put(job()).await?;
    subject.put(NewJob { due: Due::In(HOUR), ..job() }).await?;
    for count in subject.storage().counts().await? {
        assert_eq!(count.oldest, (count.state == JobState::Ready).then_some(since), "{}", count.state);
        assert_eq!(count.seen_at, subject.now());
    }
    Ok(())
}

pub async fn running_jobs_are_counted_one_by_one(subject: &Subject) -> Checked {
    subject.put_many(7).await?;
    subject.claim(worker(), 5).await?;
    let counts = subject.storage().counts().await?;
    let running = counts.iter().find(|count| count.state == JobState::Running);
    assert_eq!(running.map(|count| count.jobs), Some(5));
    Ok(())
}

pub async fn a_running_job_shows_how_far_it_is(subject: &Subject) -> Checked {
    let worker = worker();
    let claim = subject.put_and_claim(worker, job()).await?;
    let id = claim.jobs[0].id;
    assert_eq!(subject.row(id).await?.progress, None);
    for far in [0.25, 0.5] {
        subject.storage().say_progress(&[(id, far)]).await?;
        subject.storage().prune(100).await?;
        assert_eq!(subject.row(id).await?.progress, Some(far), "also while it shares a claim row");
    }
    assert!(subject.settle(worker, all(&claim, &retry(std::time::Duration::ZERO))).await?);
    subject.claim_batch(worker).await?;
    assert_eq!(subject.row(id).await?.progress, None, "the next attempt begins anew");
    Ok(())
}
