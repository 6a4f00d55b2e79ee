//! Bad input of every sort: one clear error that names the thing and the way out, nothing lost, no worker dies.

use std::time::Duration;

use djob::sqlx::{self, Connection as _, Executor as _};
use djob::{Directive, Event, JobContext, JobState, Worker, job};

use crate::common::{Database, count, eventually, mysql, postgres, sqlite};

/// Long enough for any machine.
const LEASE: Duration = Duration::from_secs(30);

struct Mailer;

#[job(queue = "mail")]
async fn needs_mailer(#[state] _mailer: &Mailer) {}

#[job]
async fn double(number: u32) -> Result<u32, djob::BoxError> {
    Ok(number * 2)
}

#[job(name = "not.linked")]
async fn not_linked() {}

#[job(retries = 0)]
async fn gives_up(_ctx: &JobContext) -> Result<(), djob::BoxError> {
    Err(Directive::fail("no").into())
}

async fn refusal(url: &str) -> String {
    djob::connect(url).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_bad_url_is_refused_with_the_right_form() {
    assert_eq!(
        refusal("redis://localhost").await,
        "\"redis\" is no database djob was built for: write `sqlite://jobs.db` (feature `sqlite`), \
         `postgres://user@host/database` (feature `postgres`) or `mysql://user@host/database` (feature `mysql`)"
    );
    assert!(refusal("").await.contains("is no database djob was built for"));
    assert!(refusal("postgres://host:notaport/x").await.contains("not a PostgreSQL URL"));
    assert!(refusal("mysql://host:notaport/x").await.contains("not a MySQL URL"));
    assert!(refusal("mysql://host").await.starts_with("the URL names no database"));
    let schema = djob::Client::builder().schema("jobs").connect("mysql://host/x").await.unwrap_err();
    assert!(schema.to_string().starts_with("`schema` is for PostgreSQL"), "{schema}");
}

#[tokio::test]
async fn an_sqlite_file_that_cannot_be_made_is_refused_with_a_hint() {
    let error = refusal("sqlite:///no/such/folder/jobs.db").await;
    assert!(error.contains("cannot be reached") && error.contains("does the folder exist"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable_and_its_password_stays_secret() {
    for kind in ["postgres", "mysql"] {
        let error = djob::connect(&format!("{kind}://ada:s3cret@127.0.0.1:1/jobs")).await.unwrap_err();
        assert!(error.is_unreachable(), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_without_repeating_it() {
    let database = postgres().await;
    let mut conn = sqlx::PgConnection::connect(&database.url).await.unwrap();
    conn.execute("create role locked_out login password 'x'; alter role locked_out connection limit 0")
        .await
        .unwrap();
    let url = database.url.replace("user=postgres", "user=nobody_such&password=s3cret");
    let error = djob::connect(&url).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert!(error.to_string().contains("check the URL"), "{error}");
    assert!(!format!("{error:?}").contains("s3cret"));
}

async fn unmigrated_tables_stop_the_worker(url: &str) {
    let client = djob::connect(url).await.unwrap();
    let error = Worker::new(&client).state(Mailer).work_off().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "djob's tables are missing: call `client.migrate().await?` or run `djob db migrate`"
    );
    let error = double.perform_later(1).on(&client).await.unwrap_err();
    assert!(error.to_string().contains("djob's tables are missing"), "{error}");
}

#[tokio::test]
async fn missing_tables_stop_worker_and_enqueuer_with_the_way_out() {
    unmigrated_tables_stop_the_worker("sqlite::memory:").await;
    let database = postgres().await;
    let mut conn = sqlx::PgConnection::connect(&database.url).await.unwrap();
    conn.execute("drop schema public cascade; create schema public").await.unwrap();
    unmigrated_tables_stop_the_worker(&database.url).await;
}

/// Programs of the version before go on while a newer one is deployed; once the tables lack what they need, those that run
/// finish their jobs and end, and none starts.
async fn newer_tables_are_worked_on_until_they_refuse(database: &Database, migrate: impl AsyncFn(&str)) {
    let client = &database.client;
    migrate("insert into _djob_migrations (version, description, success, checksum, execution_time) values (99, 'x', true, '', 0)").await;
    assert_eq!(client.migrate().await.unwrap().found, 99, "an old program that starts meanwhile");
    let mut events = client.events();
    let worker = Worker::new(client).only([double.def()]).lease(Duration::from_millis(300), LEASE);
    let worker = tokio::spawn(worker.run_until(std::future::pending()));
    let handle = double.perform_later(4).on(client).await.unwrap();
    assert_eq!(handle.wait().await.unwrap(), 8);
    migrate("update djob_schema set oldest = 99").await;
    let said = "djob's tables have version 99, on which a program must know version 99, and this one knows only 2: \
                deploy a newer version of it";
    let ended = tokio::time::timeout(LEASE, worker).await.unwrap().unwrap();
    assert_eq!(ended.unwrap_err().to_string(), said);
    let drained = events.until(|event| matches!(event, Event::WorkerDrains { .. }).then_some(())).await;
    assert!(drained.is_some(), "what it held is given back");
    let refused = Worker::new(client).only([double.def()]).work_off().await.unwrap_err();
    assert_eq!(refused.to_string(), said);
    assert!(client.migrate().await.unwrap_err().is_schema());
}

#[tokio::test]
async fn newer_tables_serve_the_program_of_before_until_they_say_otherwise() {
    let database = postgres().await;
    newer_tables_are_worked_on_until_they_refuse(&database, async |sql| {
        let mut conn = sqlx::PgConnection::connect(&database.url).await.unwrap();
        conn.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
    })
    .await;
    let database = sqlite().await;
    newer_tables_are_worked_on_until_they_refuse(&database, async |sql| {
        let mut conn = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        conn.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
    })
    .await;
    let database = mysql().await;
    newer_tables_are_worked_on_until_they_refuse(&database, async |sql| {
        let mut conn = sqlx::MySqlConnection::connect(&database.url).await.unwrap();
        conn.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
    })
    .await;
}

/// Takes the second migration back, with a job waiting; then migrates.
async fn old_tables_are_brought_up_to_date(database: &Database, take_back: impl AsyncFnOnce(&str)) {
    let client = &database.client;
    let waits = double.perform_later(4).on(client).await.unwrap();
    take_back("delete from _djob_migrations where version = 2").await;
    let refused = Worker::new(client).state(Mailer).work_off().await.unwrap_err();
    let said = "djob's tables have version 1 and this program needs 2: call `client.migrate().await?` or run `djob db migrate`";
    assert_eq!(refused.to_string(), said);
    let migrated = client.migrate().await.unwrap();
    assert_eq!((migrated.found, migrated.known), (2, 2));
    Worker::new(client).only([double.def()]).work_off().await.unwrap();
    assert_eq!(waits.wait().await.unwrap(), 8, "what waited is there and runs");
}

#[tokio::test]
async fn tables_of_the_version_before_are_refused_and_brought_up_to_date_with_what_is_in_them() {
    let database = postgres().await;
    old_tables_are_brought_up_to_date(&database, async |sql| {
        let mut conn = sqlx::PgConnection::connect(&database.url).await.unwrap();
        conn.execute("drop function djob_enqueue; drop function djob_faults").await.unwrap();
        conn.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
    })
    .await;
    let database = sqlite().await;
    old_tables_are_brought_up_to_date(&database, async |sql| {
        let mut conn = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        conn.execute("drop view djob_enqueue; drop table djob_asked").await.unwrap();
        conn.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
    })
    .await;
    let database = mysql().await;
    old_tables_are_brought_up_to_date(&database, async |sql| {
        let mut conn = sqlx::MySqlConnection::connect(&database.url).await.unwrap();
        conn.execute("drop procedure djob_enqueue").await.unwrap();
        conn.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_read_only_database_is_named_as_such() {
    let database = postgres().await;
    let read_only = format!("{}&options=-c%20default_transaction_read_only=on", database.url);
    let client = djob::connect(&read_only).await.unwrap();
    let error = double.perform_later(1).on(&client).await.unwrap_err();
    assert!(error.to_string().starts_with("the database takes no writes"), "{error}");
    let database = sqlite().await;
    let read_only = format!("{}?mode=ro", database.url);
    let refused = match djob::connect(&read_only).await {
        Ok(client) => double.perform_later(1).on(&client).await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(refused.starts_with("the database takes no writes"), "{refused}");
}

#[tokio::test]
async fn a_missing_state_stops_the_boot_and_names_job_place_and_remedy() {
    let database = sqlite().await;
    let error = Worker::new(&database.client).queues(["mail"]).work_off().await.unwrap_err().to_string();
    assert!(error.starts_with("job \"needs_mailer\" (tests/bad_input.rs:"), "{error}");
    assert!(error.ends_with("needs the state `Mailer`: give it to the worker with `.state(..)`"), "{error}");
    let elsewhere = Worker::new(&database.client).queues(["default"]).work_off().await;
    assert!(elsewhere.is_ok(), "a worker that does not serve that queue needs no mailer");
}

#[tokio::test]
async fn two_jobs_of_one_name_stop_the_boot_naming_both_places() {
    // Two that were really linked in would stop every worker of this test binary.
    let twin = djob::JobDef { aliases: &["double"], kind: "twofold", line: 1, ..*double.def() };
    let error = djob::Registry::of([double.def(), Box::leak(Box::new(twin))]).unwrap_err().to_string();
    assert!(error.starts_with("job kind \"double\" is defined twice, at tests/bad_input.rs:"), "{error}");
    assert_eq!(error.matches("tests/bad_input.rs:").count(), 2, "{error}");
    let database = sqlite().await;
    let worker = Worker::new(&database.client).only([double.def(), Box::leak(Box::new(twin))]);
    assert_eq!(worker.work_off().await.unwrap_err().to_string(), error);
}

/// A kind nobody knows is parked without burning an attempt, and runs when a worker comes that knows it.
async fn an_unknown_kind_waits_for_its_worker(database: &Database) {
    let client = &database.client;
    let stranger = not_linked.perform_later().on(client).await.unwrap();
    let known = double.perform_later(21).on(client).await.unwrap();
    Worker::new(client).only([double.def()]).work_off().await.unwrap();
    assert_eq!(known.wait().await.unwrap(), 42, "the others are not held up");
    let row = client.find(stranger.id()).await.unwrap().unwrap();
    assert_eq!((row.state, row.attempt), (JobState::Parked, 0));
    assert!(row.error.unwrap().contains("use my_jobs as _;"));
    let mut events = client.events();
    let done = async {
        events
            .until(|event| matches!(event, Event::Settled { state: JobState::Completed, .. }).then_some(()))
            .await;
    };
    let limit = tokio::time::timeout(Duration::from_secs(10), done);
    let worker = Worker::new(client).only([not_linked.def()]);
    worker.run_until(async { limit.await.unwrap() }).await.unwrap();
    assert_eq!(stranger.status().await.unwrap(), Some(JobState::Completed));
}

#[tokio::test]
async fn an_unknown_kind_is_parked_and_comes_back_when_a_worker_knows_it() {
    an_unknown_kind_waits_for_its_worker(&sqlite().await).await;
    an_unknown_kind_waits_for_its_worker(&postgres().await).await;
    an_unknown_kind_waits_for_its_worker(&mysql().await).await;
}

/// Rows can be edited: what does not fit the signature any more is parked with its place, and never run.
async fn broken_args_are_parked(database: &Database, edit: impl AsyncFnOnce(&str)) {
    let client = &database.client;
    let broken = double.perform_later(1).on(client).await.unwrap();
    edit(r#"update djob_jobs set args = '{"number": "s3cret"}'"#).await;
    let good = double.perform_later(2).on(client).await.unwrap();
    Worker::new(client).state(Mailer).only([double.def()]).work_off().await.unwrap();
    assert_eq!(good.wait().await.unwrap(), 4);
    let row = client.find(broken.id()).await.unwrap().unwrap();
    assert_eq!((row.state, row.attempt), (JobState::Parked, 0));
    assert_eq!(row.error.unwrap(), "broken_contract: /number: invalid type, expected u32");
}

#[tokio::test]
async fn args_that_do_not_fit_any_more_are_parked_with_their_place_and_without_their_value() {
    let database = sqlite().await;
    broken_args_are_parked(&database, async |sql| {
        let mut conn = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        conn.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
    })
    .await;
    let database = postgres().await;
    broken_args_are_parked(&database, async |sql| {
        let mut conn = sqlx::PgConnection::connect(&database.url).await.unwrap();
        conn.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn options_that_break_a_rule_are_refused_before_anything_is_stored() {
    let database = sqlite().await;
    let client = &database.client;
    let refused = |error: djob::EnqueueError| error.to_string();
    let error = refused(double.perform_later(1).queue("Not A Queue").on(client).await.unwrap_err());
    assert!(
        error.contains("\"Not A Queue\" is not a name for a queue: a lower-case letter first"),
        "{error}"
    );
    let many = (0..17).fold(double.perform_later(1), |job, n| job.tag(format!("t{n}")));
    assert!(refused(many.on(client).await.unwrap_err()).contains("17 tags; the limit is 16"));
    let far = double.perform_later(1).delay(Duration::from_secs(11 * 365 * 86_400));
    assert!(refused(far.on(client).await.unwrap_err()).contains("more than ten years ahead"));
    let error = refused(double.perform_later(1).await.unwrap_err());
    assert!(error.starts_with("there is no client to enqueue with"), "{error}");
    assert_eq!(client.counts().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_transaction_of_another_database_is_refused() {
    let (ours, other) = (sqlite().await, postgres().await);
    let mut conn = sqlx::PgConnection::connect(&other.url).await.unwrap();
    let error = double.perform_later(1).on(&ours.client).in_tx(&mut conn).await.unwrap_err().to_string();
    assert!(error.starts_with("the transaction given to `in_tx` is not of the client's database"), "{error}");
}

#[tokio::test]
async fn jobs_of_a_stopped_worker_wait_and_lose_nothing() {
    let database = sqlite().await;
    let client = &database.client;
    let jobs = (0..5000).map(|number| DoubleJob { number });
    client.enqueue_all(jobs).await.unwrap();
    Worker::new(client).only([double.def()]).run_until(std::future::ready(())).await.unwrap();
    let (ready, completed) = (count(client, JobState::Ready).await, count(client, JobState::Completed).await);
    assert_eq!(ready + completed, 5000);
    Worker::new(client).only([double.def()]).work_off().await.unwrap();
    assert_eq!(count(client, JobState::Completed).await, 5000);
}

#[tokio::test]
async fn a_worker_outlives_the_absence_of_its_tables() {
    let database = sqlite().await;
    let client = database.client.clone();
    let waiting = gives_up.perform_later().on(&client).await.unwrap();
    let mut conn = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    conn.execute("alter table djob_jobs rename to hidden").await.unwrap();
    let worker = tokio::spawn(
        Worker::new(&client).only([gives_up.def()]).run_until(async move { drop(stopped.await) }),
    );
    eventually("the worker has joined", Duration::from_secs(10), async || {
        let row = sqlx::query("select 1 from djob_workers").fetch_optional(&mut conn).await.unwrap();
        row.is_some()
    })
    .await;
    let mut conn = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    conn.execute("alter table hidden rename to djob_jobs").await.unwrap();
    let failed = async || waiting.status().await.unwrap() == Some(JobState::Failed);
    eventually("the job ran", Duration::from_secs(20), failed).await;
    drop(stop);
    worker.await.unwrap().unwrap();
}

/// Panics when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[job(retries = 0, timeout = "50ms")]
async fn hold_a_grenade() {
    let _grenade = Grenade;
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_job_that_panics_as_it_is_stopped_costs_no_slot() {
    let database = sqlite().await;
    let client = &database.client;
    let grenades = [
        hold_a_grenade.perform_later().on(client).await.unwrap(),
        hold_a_grenade.perform_later().on(client).await.unwrap(),
    ];
    let after = double.perform_later(4).on(client).await.unwrap();
    let worker = Worker::new(client).concurrency(1).only([hold_a_grenade.def(), double.def()]);
    tokio::time::timeout(Duration::from_secs(20), worker.work_off()).await.unwrap().unwrap();
    assert_eq!(after.wait().await.unwrap(), 8);
    for grenade in grenades {
        let row = client.find(grenade.id()).await.unwrap().unwrap();
        assert_eq!(
            (row.state, row.error.unwrap().as_str()),
            (JobState::Failed, "timed out: it ran longer than 50ms")
        );
    }
}

fn panics(_: u32) -> Duration {
    panic!("no idea how long")
}

#[job(retries = 1, backoff = panics)]
async fn retried_by_a_panic() -> Result<(), djob::BoxError> {
    Err("again".into())
}

#[job]
async fn sleeps_for_ever() -> Result<(), djob::BoxError> {
    Err(Directive::snooze(Duration::MAX).into())
}

/// Neither a backoff that panics nor a snooze beyond all time costs the worker anything.
async fn odd_delays_are_stored(database: &Database) {
    let client = &database.client;
    let retried = retried_by_a_panic.perform_later().on(client).await.unwrap();
    let snoozed = sleeps_for_ever.perform_later().on(client).await.unwrap();
    let after = double.perform_later(4).on(client).await.unwrap();
    let worker = Worker::new(client).concurrency(1).only([
        retried_by_a_panic.def(),
        sleeps_for_ever.def(),
        double.def(),
    ]);
    tokio::time::timeout(Duration::from_secs(20), worker.work_off()).await.unwrap().unwrap();
    assert_eq!(after.wait().await.unwrap(), 8);
    for job in [retried.id(), snoozed.id()] {
        assert_eq!(client.find(job).await.unwrap().unwrap().state, JobState::Scheduled);
    }
}

#[tokio::test]
async fn a_backoff_that_panics_and_a_snooze_for_ever_cost_no_slot_and_stop_no_settler() {
    odd_delays_are_stored(&sqlite().await).await;
    odd_delays_are_stored(&postgres().await).await;
    odd_delays_are_stored(&mysql().await).await;
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_not_the_end_of_all_writes() {
    let database = sqlite().await;
    let client = &database.client;
    let mut conn = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    // Ends the whole transaction by itself, as a full disk does.
    conn.execute("create trigger full before insert on djob_jobs when new.queue = 'full' begin select raise(rollback, 'database or disk is full'); end").await.unwrap();
    let refused = double.perform_later(1).queue("full").on(client).await.unwrap_err();
    assert!(refused.to_string().contains("full"), "{refused}");
    assert!(double.perform_later(1).on(client).await.is_ok(), "the next write begins anew");
}
