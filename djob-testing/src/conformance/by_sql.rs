//! Enqueueing by SQL: what triggers and programs in other languages do. For databases with SQL.

use djob::{Client, Clock, JobId, JobRow, JobState, Timestamp};

use super::published::computed;
use super::subject::*;
use super::worker::contract::{double, greet};
use super::worker::worker_of;
use crate::TestDatabase;

/// The statement that enqueues a job.
fn statement(db: &TestDatabase, kind: &str, args: &str, options: Option<&str>) -> String {
    let name = db.client().storage().database();
    let text = |text: &str| match name {
        "MySQL" => format!("'{}'", text.replace('\\', r"\\").replace('\'', "''")),
        _ => format!("'{}'", text.replace('\'', "''")),
    };
    let options = text(options.unwrap_or("{}"));
    let (kind, args) = (text(kind), text(args));
    match name {
        "PostgreSQL" => format!("select djob_enqueue({kind}, {args}, {options})"),
        "MySQL" => format!("call djob_enqueue({kind}, {args}, {options}, @id)"),
        _ => format!("insert into djob_enqueue (kind, args, options) values ({kind}, {args}, {options})"),
    }
}

/// A database whose workers have published the jobs of these tests.
async fn published(db: &TestDatabase) -> Result<Subject, djob::BoxError> {
    let clock = Clock::manual(Timestamp::from(std::time::SystemTime::now()));
    let subject = Subject::new(db.client_with(Client::builder().clock(clock.clone())).await, clock);
    worker_of(&subject, [double.def(), greet.def(), computed.def()]).work_off().await?;
    Ok(subject)
}

/// The one job there is.
async fn only(subject: &Subject) -> Result<JobRow, djob::BoxError> {
    let mut all = subject.client().list(djob::Filter::new()).await?;
    assert_eq!(all.len(), 1, "{all:#?}");
    Ok(all.remove(0))
}

pub async fn a_job_that_sql_enqueues_runs(db: &TestDatabase) -> Checked {
    let subject = published(db).await?;
    db.execute(&statement(db, "conformance.greet", r#"{"first":"Ada","last":"O'Hara","title":"Dr"}"#, None))
        .await?;
    let row = only(&subject).await?;
    assert_eq!(
        (row.kind.as_str(), row.queue.as_str(), row.priority, row.max_attempts),
        ("conformance.greet", "default", 0, 25)
    );
    assert_eq!(row.meta.version, 3, "it is of the newest version");
    let age = subject.now() - row.id.made_at();
    assert!(
        age < HOUR && row.id.as_uuid().get_version_num() == 7,
        "its id is made as djob makes them: {}",
        row.id
    );
    subject.advance(SECOND * 60);
    worker_of(&subject, [greet.def()]).work_off().await?;
    assert_eq!(subject.row(row.id).await?.result.as_deref(), Some(r#""Dr Ada O'Hara""#));
    Ok(())
}

pub async fn options_that_sql_names_hold(db: &TestDatabase) -> Checked {
    let subject = published(db).await?;
    let id = JobId::new();
    let options = format!(
        r#"{{"id":"{id}","queue":"mail","priority":-5,"delay":3600.5,"retries":2,"tags":["a","b"],"unique":"k"}}"#
    );
    db.execute(&statement(db, "conformance.double", r#"{"n":1}"#, Some(&options))).await?;
    let row = only(&subject).await?;
    assert_eq!((row.id, row.queue.as_str(), row.priority, row.max_attempts), (id, "mail", -5, 3));
    assert_eq!(
        (row.state, row.meta.tags.as_slice()),
        (JobState::Scheduled, ["a".to_owned(), "b".to_owned()].as_slice())
    );
    assert_eq!(row.meta.unique_key.as_deref(), Some("conformance.double:k"));
    let ahead = row.run_at - subject.now();
    assert!(ahead > HOUR - SECOND * 300 && ahead < HOUR + SECOND * 300, "{ahead:?}");

    // The same id, and the same key, are the same job.
    db.execute(&statement(db, "conformance.double", r#"{"n":2}"#, Some(&options))).await?;
    db.execute(&statement(db, "conformance.double", r#"{"n":3}"#, Some(r#"{"unique":"k"}"#))).await?;
    let n = db.count("select count(*) from djob_unique").await?;
    assert_eq!((only(&subject).await?.args.as_str(), n), (r#"{"n":1}"#, 1));
    assert!(subject.client().delete(id).await?);

    let at = r#"{"run_at":"2035-01-02T03:04:05Z"}"#;
    db.execute(&statement(db, "conformance.double", r#"{"n":4}"#, Some(at))).await?;
    assert_eq!(only(&subject).await?.run_at.to_string(), "2035-01-02T03:04:05.000000Z");
    Ok(())
}

pub async fn large_arguments_that_sql_enqueues_lie_apart(db: &TestDatabase) -> Checked {
    let subject = published(db).await?;
    let args = format!(r#"{{"first":"{}","last":"L","title":"Dr"}}"#, "é".repeat(2000));
    db.execute(&statement(db, "conformance.greet", &args, None)).await?;
    assert_eq!(db.count("select count(*) from djob_args").await?, 1);
    assert_eq!(only(&subject).await?.args, args);
    Ok(())
}

pub async fn what_sql_can_see_is_refused_and_nothing_is_stored(db: &TestDatabase) -> Checked {
    let subject = published(db).await?;
    let large = format!(r#"{{"first":"{}","last":"L","title":"Dr"}}"#, "x".repeat(300_000));
    // The places are not in SQLite's fixed texts.
    let (two, hi, all) = ("conformance.double", "conformance.greet", "conformance.computed");
    for (kind, args, options, word) in [
        ("conformance.nobody", "{}", "{}", "no worker has published"),
        (two, "{}", "{}", "is missing"),
        (two, r#"{"n":1,"m":2}"#, "{}", "unknown|not an argument"),
        (two, "[1]", "{}", "must be a JSON object"),
        (two, "7", "{}", "must be a JSON object"),
        (hi, r#"{"first":"A\u0000","last":"L","title":"Dr"}"#, "{}", "NUL"),
        (hi, &large, "{}", "262144 bytes"),
        (two, r#"{"n":1}"#, r#"{"quee":"mail"}"#, "unknown"),
        (two, r#"{"n":1}"#, r#"{"queue":"Not A Name"}"#, "a letter first"),
        (two, r#"{"n":1}"#, r#"{"tags":["Not A Name"]}"#, "a letter first"),
        (two, r#"{"n":1}"#, r#"{"id":"s3cret"}"#, "uuid|UUID"),
        (all, r#"{"n":1}"#, "{}", "is computed by"),
        (all, r#"{"n":1}"#, r#"{"queue":"q","priority":1,"delay":0}"#, "is computed by"),
    ] {
        let refused = db.execute(&statement(db, kind, args, Some(options))).await;
        let said = refused.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(word.split('|').any(|word| said.contains(word)), "{args:.80} {options}: {said:?}");
    }
    assert!(subject.client().list(djob::Filter::new()).await?.is_empty());
    assert_eq!(
        db.count("select count(*) from djob_unique").await?
            + db.count("select count(*) from djob_args").await?,
        0
    );
    let told = r#"{"queue":"q","priority":1,"delay":0,"unique":"1"}"#;
    db.execute(&statement(db, all, r#"{"n":1}"#, Some(told))).await?;
    assert_eq!(only(&subject).await?.meta.version, 2);
    Ok(())
}

pub async fn what_sql_cannot_see_is_parked_by_the_worker(db: &TestDatabase) -> Checked {
    let subject = published(db).await?;
    db.execute(&statement(db, "conformance.double", r#"{"n":101}"#, None)).await?;
    subject.advance(SECOND * 60);
    worker_of(&subject, [double.def()]).work_off().await?;
    let row = only(&subject).await?;
    assert_eq!((row.state, row.attempt), (JobState::Parked, 0));
    assert!(row.error.is_some_and(|why| why.starts_with("broken_contract: /n: ")));
    Ok(())
}
