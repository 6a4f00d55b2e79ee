//! Enqueue: what was stored is there, all of it or nothing, and due when it was said.

use std::time::Duration;

use djob::{Due, Enqueued, JobState, NewJob, Timestamp};

use super::subject::*;

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

pub async fn a_job_comes_back_as_it_was_stored(subject: &Subject) -> Checked {
    let mut new = NewJob { queue: "mail".into(), priority: -7, max_attempts: 3, ..job() };
    new.meta.tags = vec!["signup".into(), "eu:1".into()];
    subject.put(new.clone()).await?;
    let row = subject.row(new.id).await?;
    assert_eq!((row.id, row.kind, row.queue), (new.id, new.kind.to_string(), "mail".to_owned()));
    assert_eq!((row.priority, row.state, row.attempt, row.max_attempts), (-7, JobState::Ready, 0, 3));
    assert_eq!((row.args, row.meta), (new.args, new.meta));
    assert_eq!((row.result, row.error, row.finished_at), (None, None, None));
    Ok(())
}

pub async fn arguments_come_back_as_they_were_written(subject: &Subject) -> Checked {
    for args in [
        r#"{}"#,
        r#"{"text":"\" \\ \n \u0001 ' ; -- %s $1 ä 𝄞"}"#,
        r#"{"n":[0,-1,9223372036854775807,18446744073709551615,1.5,1e-7]}"#,
        r#"{"":{"a":[[],{},null,true]},"x.y":false}"#,
    ] {
        let id = subject.put(NewJob { args: args.to_owned(), ..job() }).await?;
        assert_eq!(subject.row(id).await?.args, args);
        let claim = subject.claim_batch(worker()).await?;
        assert_eq!(claim.jobs[0].args.as_deref(), Some(args));
    }
    Ok(())
}

pub async fn answers_come_in_the_order_of_the_jobs(subject: &Subject) -> Checked {
    let jobs: Vec<NewJob> = (0..50).rev().map(|n| NewJob { priority: n, ..job() }).collect();
    let wanted: Vec<Enqueued> = jobs.iter().map(|job| Enqueued::Inserted(job.id)).collect();
    assert_eq!(subject.storage().enqueue(jobs).await?, wanted);
    Ok(())
}

pub async fn a_thousand_jobs_are_stored_at_once(subject: &Subject) -> Checked {
    let ids = subject.put_many(1000).await?;
    let counts = subject.storage().counts().await?;
    assert_eq!(counts.iter().map(|count| count.jobs).sum::<i64>(), 1000);
    assert!(subject.state(ids[999]).await?.is_some());
    Ok(())
}

pub async fn no_jobs_at_all_are_no_error(subject: &Subject) -> Checked {
    assert_eq!(subject.storage().enqueue(vec![]).await?, []);
    Ok(())
}

pub async fn a_batch_is_stored_whole_or_not_at_all(subject: &Subject) -> Checked {
    let good = job();
    let not_json = NewJob { args: "{".to_owned(), ..job() };
    assert!(subject.storage().enqueue(vec![good.clone(), not_json]).await.is_err());
    assert_eq!(subject.state(good.id).await?, None);
    Ok(())
}

/// A caller whose commit was not acknowledged repeats the call.
pub async fn the_same_job_stored_twice_is_one_job(subject: &Subject) -> Checked {
    let new = NewJob { id_given: true, ..job() };
    let id = subject.put(new.clone()).await?;
    let again = subject.storage().enqueue(vec![new]).await?;
    assert_eq!(again[0].id(), id);
    assert_eq!(ids(&subject.claim(worker(), 10).await?), [id]);
    Ok(())
}

pub async fn eight_callers_at_once_store_one_job_of_an_id(subject: &Subject) -> Checked {
    let new = NewJob { id_given: true, ..job() };
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (storage, new) = (subject.storage().clone(), new.clone());
        callers.spawn(async move { storage.enqueue(vec![new]).await });
    }
    while let Some(caller) = callers.join_next().await {
        assert_eq!(caller??[0].id(), new.id);
    }
    assert_eq!(ids(&subject.claim(worker(), 10).await?), [new.id]);
    Ok(())
}

/// The answer to the first call may have been lost for so long that the job has gone on meanwhile.
pub async fn a_repeated_call_finds_its_job_in_every_room(subject: &Subject) -> Checked {
    let again = async |new: NewJob| subject.storage().enqueue(vec![new]).await;
    for settlement in [retry(HOUR), park("unknown_kind"), completed()] {
        let new = NewJob { id_given: true, ..job() };
        subject.put_and_settle(new.clone(), settlement.clone()).await?;
        assert_eq!(again(new.clone()).await?, [Enqueued::Existing(new.id)], "after {settlement:?}");
    }
    let new = NewJob { id_given: true, ..job() };
    subject.put_and_claim(worker(), new.clone()).await?;
    assert_eq!(again(new.clone()).await?, [Enqueued::Existing(new.id)], "while it runs");
    Ok(())
}

/// Callers that enqueue at the same time share a statement: one who repeats a call must not spoil the others'.
pub async fn a_job_stored_twice_does_not_keep_others_from_being_stored(subject: &Subject) -> Checked {
    let (repeated, other) = (NewJob { id_given: true, ..job() }, job());
    subject.put(repeated.clone()).await?;
    subject.storage().enqueue(vec![repeated, other.clone()]).await?;
    assert_eq!(subject.state(other.id).await?, Some(JobState::Ready));
    Ok(())
}

pub async fn a_delay_counts_from_the_storages_own_time(subject: &Subject) -> Checked {
    let id = subject.put(NewJob { due: Due::In(HOUR), ..job() }).await?;
    let row = subject.row(id).await?;
    assert_eq!((row.state, row.run_at), (JobState::Scheduled, subject.now() + HOUR));
    Ok(())
}

pub async fn a_job_is_scheduled_until_its_time_and_then_ready(subject: &Subject) -> Checked {
    let at = subject.now() + SECOND;
    let id = subject.put(NewJob { due: Due::At(at), ..job() }).await?;
    assert_eq!(subject.state(id).await?, Some(JobState::Scheduled));
    subject.advance(SECOND - Duration::from_micros(1));
    assert_eq!(subject.state(id).await?, Some(JobState::Scheduled));
    subject.advance(Duration::from_micros(1));
    assert_eq!(subject.state(id).await?, Some(JobState::Ready));
    assert_eq!(subject.row(id).await?.run_at, at, "to the microsecond");
    Ok(())
}

/// Keys grow, so that what is stored now does not hide before a claimer's cursor.
pub async fn a_moment_in_the_past_means_now(subject: &Subject) -> Checked {
    let id = subject.put(NewJob { due: Due::At(Timestamp::EPOCH), ..job() }).await?;
    assert_eq!(subject.row(id).await?.run_at, subject.now());
    Ok(())
}

pub async fn more_attempts_than_a_database_counts_are_no_error(subject: &Subject) -> Checked {
    let id = subject.put(NewJob { max_attempts: u16::MAX, ..job() }).await?;
    assert!(subject.row(id).await?.max_attempts > 30_000);
    Ok(())
}

pub async fn jobs_may_be_scheduled_ten_years_ahead(subject: &Subject) -> Checked {
    let id = subject.put(NewJob { due: Due::In(TEN_YEARS), ..job() }).await?;
    assert_eq!(subject.row(id).await?.run_at, subject.now() + TEN_YEARS);
    Ok(())
}

pub async fn eight_callers_at_once_each_get_what_they_stored(subject: &Subject) -> Checked {
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..8 {
        let storage = subject.storage().clone();
        callers.spawn(async move {
            let jobs: Vec<NewJob> = (0..25).map(|_| NewJob { priority: caller, ..job() }).collect();
            let wanted: Vec<Enqueued> = jobs.iter().map(|job| Enqueued::Inserted(job.id)).collect();
            storage.enqueue(jobs).await.map(|stored| stored == wanted)
        });
    }
    while let Some(caller) = callers.join_next().await {
        assert!(caller??);
    }
    let counts = subject.storage().counts().await?;
    assert_eq!(counts.iter().map(|count| count.jobs).sum::<i64>(), 200);
    Ok(())
}
