//! The contract: a job that breaks it never runs, and is never destroyed for it.

use djob::{BoxError, EnqueueError, Job as _, JobDef, JobState, Need, NewJob, job};

use super::super::subject::*;
use super::{alongside, settled, worker_of};

#[job(name = "conformance.double", aliases = ["conformance.twice"])]
pub(in super::super) async fn double(#[validate(range(max = 100))] n: i64) -> Result<i64, BoxError> {
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

/// The arguments of the first version of `greet`.
#[derive(serde::Deserialize)]
struct Named {
    name: String,
}

/// Of the second.
#[derive(serde::Deserialize)]
struct FirstAndLast {
    first: String,
    last: String,
}

fn split(old: Named) -> Result<FirstAndLast, &'static str> {
    let (first, last) = old.name.split_once(' ').ok_or("it has no last name")?;
    Ok(FirstAndLast { first: first.to_owned(), last: last.to_owned() })
}

fn title(old: FirstAndLast) -> GreetJob {
    GreetJob { first: old.first, last: old.last, title: "Dr".to_owned() }
}

#[job(name = "conformance.greet", version = 3, upcast = [split, title])]
pub(in super::super) async fn greet(
    first: &str,
    last: &str,
    #[validate(length(min = 1))] title: &str,
) -> Result<String, BoxError> {
    Ok(format!("{title} {first} {last}"))
}

/// The same job, as it was before two deploys.
static GREET_OF_BEFORE: JobDef = JobDef { version: 1, upcasts: &[], ..*GreetJob::DEF };

/// Stores arguments as code of another version would.
async fn stored_as(subject: &Subject, version: u16, args: &str) -> Result<djob::JobId, BoxError> {
    let mut new = NewJob { kind: "conformance.greet".into(), args: args.to_owned(), ..job() };
    new.meta.version = version;
    subject.put(new).await
}

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

pub async fn a_worker_publishes_what_its_kinds_promise(subject: &Subject) -> Checked {
    worker_of(subject, [double.def(), greet.def()]).work_off().await?;
    let published = subject.client().contracts().await?;
    let names: Vec<_> = published.iter().map(|contract| (contract.kind.as_str(), contract.version)).collect();
    assert_eq!(names, [("conformance.double", 1), ("conformance.greet", 3), ("conformance.twice", 1)]);
    assert!(published[0].schema.contains(r#""maximum":100"#));
    assert_eq!(published[0].schema, published[2].schema, "callers may still use the former name");
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

pub async fn a_job_carries_the_version_of_its_arguments(subject: &Subject) -> Checked {
    let job = greet.perform_later("Ada", "Lovelace", "Countess").on(subject.client()).await?;
    assert_eq!(subject.row(job.id()).await?.meta.version, 3);
    worker_of(subject, [greet.def()]).work_off().await?;
    let row = subject.row(job.id()).await?;
    assert_eq!((row.meta.version, row.result.as_deref()), (3, Some(r#""Countess Ada Lovelace""#)));
    Ok(())
}

pub async fn arguments_of_every_older_version_become_todays(subject: &Subject) -> Checked {
    let first = stored_as(subject, 1, r#"{"name":"Ada Lovelace"}"#).await?;
    let second = stored_as(subject, 2, r#"{"first":"Ada","last":"Lovelace"}"#).await?;
    worker_of(subject, [greet.def()]).work_off().await?;
    for (id, version) in [(first, 1), (second, 2)] {
        let row = subject.row(id).await?;
        assert_eq!((row.state, row.result.as_deref()), (JobState::Completed, Some(r#""Dr Ada Lovelace""#)));
        assert_eq!(row.meta.version, version, "its row says what was stored");
    }
    Ok(())
}

pub async fn an_older_version_that_cannot_become_todays_is_parked_with_its_place(
    subject: &Subject,
) -> Checked {
    for (version, args, why) in [
        (1, r#"{"name":["s3cret"]}"#, "broken_contract: /name: version 1: invalid type, expected a string"),
        (
            1,
            r#"{"name":"s3cret"}"#,
            "broken_contract: arguments: are of version 1 and cannot become version 2: it has no last name",
        ),
        (2, r#"{"name":"s3cret"}"#, "broken_contract: arguments: version 2: missing field `first`"),
        (0, "{}", "broken_contract: arguments: are of version 0, from which no `upcast` leads to today's"),
    ] {
        let id = stored_as(subject, version, args).await?;
        worker_of(subject, [greet.def()]).work_off().await?;
        let row = subject.row(id).await?;
        assert_eq!((row.state, row.attempt, row.args.as_str()), (JobState::Parked, 0, args));
        assert_eq!(row.error.as_deref(), Some(why));
    }
    Ok(())
}

pub async fn a_newer_version_waits_for_a_worker_that_reads_it(subject: &Subject) -> Checked {
    let job = greet.perform_later("Ada", "Lovelace", "Countess").on(subject.client()).await?;
    worker_of(subject, [&GREET_OF_BEFORE]).work_off().await?;
    let row = subject.row(job.id()).await?;
    assert_eq!((row.state, row.attempt), (JobState::Parked, 0));
    assert!(row.error.is_some_and(|why| why.starts_with("newer_version: ") && why.contains("version 3")));
    // Another of the old kind does not take it back.
    worker_of(subject, [&GREET_OF_BEFORE]).work_off().await?;
    assert_eq!(subject.state(job.id()).await?, Some(JobState::Parked));
    let mut events = subject.client().events();
    alongside(worker_of(subject, [greet.def()]), async {
        let settled = settled(&mut events, job.id()).await?;
        assert_eq!(settled.state, JobState::Completed);
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
