//! Park: set aside with a reason, and back when the reason is gone.

use djob::storage::Known;
use djob::{Due, JobState, NewJob, Settlement};

use super::subject::*;

pub async fn a_parked_job_shows_its_reason(subject: &Subject) -> Checked {
    let detail = "/email: missing".to_owned();
    let id = subject.put_and_settle(job(), Settlement::Park { reason: "broken_contract", detail }).await?;
    let row = subject.row(id).await?;
    assert_eq!((row.state, row.attempt), (JobState::Parked, 0));
    assert_eq!(row.error.as_deref(), Some("broken_contract: /email: missing"));
    Ok(())
}

pub async fn a_parked_job_is_not_claimed(subject: &Subject) -> Checked {
    subject.put_and_settle(job(), park("unknown_kind")).await?;
    subject.advance(HOUR);
    assert!(subject.claim(worker(), 10).await?.is_empty());
    Ok(())
}

pub async fn an_unknown_kind_comes_back_when_it_is_known(subject: &Subject) -> Checked {
    let known = subject
        .put_and_settle(NewJob { kind: "conformance.known".into(), ..job() }, park("unknown_kind"))
        .await?;
    let other = subject.put_and_settle(job(), park("unknown_kind")).await?;
    assert_eq!(subject.unpark(&[("conformance.new", 1)]).await?, 0);
    assert_eq!(subject.unpark(&[("conformance.known", 1), ("conformance.new", 1)]).await?, 1);
    assert_eq!(subject.state(known).await?, Some(JobState::Ready));
    assert_eq!(subject.state(other).await?, Some(JobState::Parked));
    assert_eq!(ids(&subject.claim(worker(), 10).await?), [known]);
    Ok(())
}

/// A job whose arguments are of this version.
fn of_version(version: u16) -> NewJob {
    let mut new = job();
    new.meta.version = version;
    new
}

pub async fn a_newer_version_comes_back_when_it_is_read(subject: &Subject) -> Checked {
    let second = subject.put_and_settle(of_version(2), park("newer_version")).await?;
    let third = subject.put_and_settle(of_version(3), park("newer_version")).await?;
    // Whoever parked this one did not even know its kind.
    let unknown = subject.put_and_settle(of_version(3), park("unknown_kind")).await?;
    assert_eq!(subject.unpark(&[("conformance.plain", 1), ("conformance.other", 3)]).await?, 0);
    assert_eq!(subject.unpark(&[("conformance.plain", 2)]).await?, 1);
    assert_eq!(subject.row(second).await?.meta.version, 2);
    assert_eq!(ids(&subject.claim(worker(), 10).await?), [second]);
    assert_eq!(subject.unpark(&[("conformance.plain", 7)]).await?, 2);
    for id in [third, unknown] {
        assert_eq!(subject.state(id).await?, Some(JobState::Ready));
    }
    Ok(())
}

pub async fn parked_jobs_come_back_a_bounded_number_at_a_time(subject: &Subject) -> Checked {
    subject.put_many(5).await?;
    let worker = worker();
    let claim = subject.claim_batch(worker).await?;
    assert!(subject.settle(worker, all(&claim, &park("unknown_kind"))).await?);
    let known = Known { kind: "conformance.plain".into(), version: 1 };
    let mut back = vec![];
    while back.last() != Some(&0) {
        back.push(subject.storage().unpark("unknown_kind", &known, 2).await?);
    }
    assert_eq!(back, [2, 2, 1, 0]);
    assert_eq!(ids(&subject.claim(worker, 10).await?).len(), 5);
    Ok(())
}

pub async fn a_broken_contract_does_not_come_back_by_itself(subject: &Subject) -> Checked {
    let id = subject.put_and_settle(job(), park("broken_contract")).await?;
    assert_eq!(subject.unpark(&[("conformance.plain", 1)]).await?, 0);
    assert_eq!(subject.state(id).await?, Some(JobState::Parked));
    Ok(())
}

pub async fn a_job_comes_back_as_it_was_parked(subject: &Subject) -> Checked {
    let mut new = NewJob { priority: 4, queue: "mail".into(), due: Due::NOW, max_attempts: 3, ..job() };
    new.meta.tags = vec!["signup".into()];
    let id = subject.put(new).await?;
    let before = subject.row(id).await?;
    let worker = worker();
    let claim = subject.claim_batch(worker).await?;
    assert!(subject.settle(worker, all(&claim, &park("unknown_kind"))).await?);
    subject.advance(HOUR);
    assert_eq!(subject.unpark(&[("conformance.plain", 1)]).await?, 1);
    let after = subject.row(id).await?;
    assert_eq!((after.run_at, after.priority, after.queue), (before.run_at, 4, before.queue));
    assert_eq!((after.meta, after.args, after.max_attempts), (before.meta, before.args, 3));
    Ok(())
}
