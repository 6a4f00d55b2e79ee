//! The contract: a job that breaks it never runs, and is never destroyed for it.

use djob::{BoxError, EnqueueError, Job as _, JobDef, JobState, Need, NewJob, job};

use super::super::subject::*;
use super::{alongside, settled, worker_of};

#[job(name = "conformance.double", aliases = ["conformance.twice"])]
async fn double(#[validate(range(max = 100))] n: i64) -> Result<i64, BoxError> {
    Ok(n * 2)
}

#[job(name = "conformance.other")]
async fn other() {}

/// A kind that borrows a state. It is not linked in, since every worker of the program would have to have that state.
static BORROW: JobDef = JobDef {
    kind: "conformance.borrow",
    queue: "borrowers",
    needs: &[Need { name: "u64", held: |state| state.get::<u64>().is_some() }],
    ..*OtherJob::DEF
};

/// Stores arguments as somebody else would, who does not ask the contract.
async fn smuggle(subject: &Subject, args: &str) -> Result<djob::JobId, BoxError> {
    subject.put(NewJob { kind: "conformance.double".into(), args: args.to_owned(), ..job() }).await
}

pub async fn arguments_that_break_a_rule_are_refused_before_they_are_stored(subject: &Subject) -> Checked {
    let refused = double.perform_later(101).on(subject.client()).await;
    assert!(matches!(refused, Err(EnqueueError::Args { error, .. }) if error.faults()[0].pointer == "/n"));
    assert!(subject.storage().counts().await?.is_empty());
    Ok(())
}

pub async fn arguments_that_break_the_contract_are_parked_with_their_place(subject: &Subject) -> Checked {
    for (args, place) in [
        (r#"{"n":"s3cret"}"#, "broken_contract: /n: invalid type"),
        (r#"{"n":101}"#, "broken_contract: /n: "),
        (r#"{}"#, "broken_contract: arguments: missing field `n`"),
        (r#"[7]"#, "broken_contract: arguments: must be a JSON object"),
    ] {
        let id = smuggle(subject, args).await?;
        worker_of(subject, [double.def()]).work_off().await?;
        let row = subject.row(id).await?;
        let why = row.error.unwrap_or_default();
        assert_eq!((row.state, row.attempt, row.args.as_str()), (JobState::Parked, 0, args));
        assert!(why.starts_with(place) && !why.contains("s3cret"), "{args}: {why}");
    }
    Ok(())
}

pub async fn a_former_name_runs_as_the_kind_of_today(subject: &Subject) -> Checked {
    let old = NewJob { kind: "conformance.twice".into(), args: r#"{"n":21}"#.to_owned(), ..job() };
    let id = subject.put(old).await?;
    worker_of(subject, [double.def()]).work_off().await?;
    let row = subject.row(id).await?;
    assert_eq!((row.state, row.result.as_deref()), (JobState::Completed, Some("42")));
    Ok(())
}

pub async fn an_unknown_kind_is_parked(subject: &Subject) -> Checked {
    let job = double.perform_later(21).on(subject.client()).await?;
    worker_of(subject, [other.def()]).work_off().await?;
    let row = subject.row(job.id()).await?;
    assert_eq!((row.state, row.attempt), (JobState::Parked, 0));
    assert!(row.error.is_some_and(|why| why.starts_with("unknown_kind: ")));
    Ok(())
}

pub async fn an_unknown_kind_runs_when_a_worker_comes_that_knows_it(subject: &Subject) -> Checked {
    let job = double.perform_later(21).on(subject.client()).await?;
    worker_of(subject, [other.def()]).work_off().await?;
    let mut events = subject.client().events();
    alongside(worker_of(subject, [double.def()]), async {
        let settled = settled(&mut events, job.id()).await?;
        assert_eq!((settled.state, settled.result.as_deref()), (JobState::Completed, Some("42")));
        Ok(())
    })
    .await
}

pub async fn a_worker_does_not_start_without_the_state_its_jobs_borrow(subject: &Subject) -> Checked {
    let refused = worker_of(subject, [&BORROW]).work_off().await;
    assert!(refused.is_err_and(|error| error.to_string().contains("u64")));
    worker_of(subject, [&BORROW]).queues(["others"]).work_off().await?;
    worker_of(subject, [&BORROW]).state(7_u64).work_off().await?;
    Ok(())
}
