//! The commands, on a real database in a file: what they print, what they change, and how they end.

#![allow(clippy::unwrap_used)] // a test may stop where it stands; clippy sees only those functions that are marked

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use djob::{BoxError, Client, JobContext, JobId, JobState, Worker, job, sqlx};
use djob_cli::{App, Exit};
use serde_json::Value;

struct Mailer {
    sent: &'static AtomicU32,
}

#[job(queue = "mail", priority = 10)]
async fn send_welcome(#[state] mailer: &Mailer, user_id: i64) -> Result<String, BoxError> {
    mailer.sent.fetch_add(1, Ordering::SeqCst);
    Ok(format!("welcomed {user_id}"))
}

#[job(retries = 0)]
async fn break_down() -> Result<(), BoxError> {
    Err("the server said no".into())
}

#[job(queue = "slow")]
async fn wait_for_the_end(ctx: &JobContext) -> Result<(), BoxError> {
    ctx.cancelled().await;
    Ok(())
}

struct Database {
    url: String,
    client: Client,
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn ends(self, exit: Exit) -> Self {
        assert_eq!(self.code, i32::from(exit.code()), "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.out).unwrap();
        assert_eq!(value["schema_version"], 1);
        value
    }

    /// The one error, which is one line.
    #[track_caller]
    fn error(&self) -> &str {
        assert_eq!(self.err.lines().count(), 1, "{}", self.err);
        self.err.trim_end().strip_prefix("error: ").unwrap()
    }
}

/// Runs the program `djob` without any variables of the environment.
fn djob(args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_djob")).args(args).env_clear().output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// The URL of a database file that does not exist.
fn fresh(name: &str) -> String {
    let file = format!("{}/{name}.db", env!("CARGO_TARGET_TMPDIR"));
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{file}{end}"));
    }
    format!("sqlite://{file}")
}

impl Database {
    async fn new(name: &str) -> Self {
        let url = fresh(name);
        let client = djob::connect(&url).await.unwrap();
        client.migrate().await.unwrap();
        Database { url, client }
    }

    fn djob(&self, args: &[&str]) -> Ran {
        djob(&[args, &["-d", &self.url]].concat())
    }

    async fn welcome(&self, user_id: i64) -> JobId {
        send_welcome.perform_later(user_id).tag("signup").on(&self.client).await.unwrap().id()
    }

    /// A job that failed.
    async fn failed(&self) -> JobId {
        let id = break_down.perform_later().on(&self.client).await.unwrap().id();
        Worker::new(&self.client).only([break_down.def()]).queues(["default"]).work_off().await.unwrap();
        assert_eq!(self.state(id).await, Some(JobState::Failed));
        id
    }

    async fn state(&self, id: JobId) -> Option<JobState> {
        self.client.find(id).await.unwrap().map(|row| row.state)
    }
}

// ---- work ----

#[tokio::test]
async fn workoff_runs_what_is_due_with_the_state_of_the_application() {
    static SENT: AtomicU32 = AtomicU32::new(0);
    let db = Database::new("workoff").await;
    let (due, later) = (db.welcome(7).await, send_welcome.perform_later(8).delay(Duration::from_secs(3600)));
    let later = later.on(&db.client).await.unwrap().id();
    let app = App::new().state(Mailer { sent: &SENT });
    assert_eq!(app.run_from(["app", "workoff", "-d", &db.url, "-n", "2"]).await, Exit::Done);
    assert_eq!(SENT.load(Ordering::SeqCst), 1);
    assert_eq!(db.state(due).await, Some(JobState::Completed));
    assert_eq!(db.state(later).await, Some(JobState::Scheduled));
}

#[tokio::test]
async fn work_serves_the_pools_it_is_given_and_no_other_queue() {
    static SENT: AtomicU32 = AtomicU32::new(0);
    let db = Database::new("pools").await;
    let (mail, other) = (db.welcome(7).await, break_down.perform_later().on(&db.client).await.unwrap().id());
    let args =
        ["app", "work", "-d", &db.url, "--pool", "mail:4", "--pool", "low,bulk:1", "--exit-on-complete"];
    assert_eq!(App::new().state(Mailer { sent: &SENT }).run_from(args).await, Exit::Done);
    assert_eq!(db.state(mail).await, Some(JobState::Completed));
    assert_eq!(db.state(other).await, Some(JobState::Ready));
}

#[tokio::test]
async fn work_obeys_queues_priorities_hooks_and_layers() {
    static BEFORE: AtomicU32 = AtomicU32::new(0);
    static AROUND: AtomicU32 = AtomicU32::new(0);
    static SENT: AtomicU32 = AtomicU32::new(0);
    #[derive(Debug)]
    struct Counting;
    impl djob::Hooks for Counting {
        fn before(&self, _: &JobContext) {
            BEFORE.fetch_add(1, Ordering::SeqCst);
        }
    }
    async fn counted(ctx: JobContext, next: djob::Next) -> djob::Attempted {
        AROUND.fetch_add(1, Ordering::SeqCst);
        next.run(&ctx).await
    }
    let db = Database::new("priorities").await;
    let urgent = send_welcome.perform_later(1).priority(-5).on(&db.client).await.unwrap().id();
    let usual = db.welcome(2).await;
    let app = App::new().state(Mailer { sent: &SENT }).hooks(Counting).layer(counted);
    let args =
        ["app", "workoff", "-d", &db.url, "--queue", "mail", "--min-priority", "-9", "--max-priority", "0"];
    assert_eq!(app.run_from(args).await, Exit::Done);
    assert_eq!(db.state(urgent).await, Some(JobState::Completed));
    assert_eq!(db.state(usual).await, Some(JobState::Ready));
    assert_eq!((BEFORE.load(Ordering::SeqCst), AROUND.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn work_without_jobs_explains_the_four_lines_to_write_and_parks_nothing() {
    let db = Database::new("no_kinds").await;
    let id = db.welcome(7).await;
    for command in ["work", "workoff"] {
        let ran = db.djob(&[command]).ends(Exit::Usage);
        assert!(
            ran.err.starts_with("error: this program knows no jobs to run: jobs are run by your own binary")
        );
        assert!(ran.err.contains("djob_cli::App::new().run().await"), "{}", ran.err);
    }
    assert_eq!(db.state(id).await, Some(JobState::Ready));
}

#[tokio::test]
async fn work_refuses_settings_that_make_no_sense() {
    static SENT: AtomicU32 = AtomicU32::new(0);
    let db = Database::new("settings").await;
    for setting in [["--pool", "mail:0"], ["--queues", "Mail"], ["-n", "0"], ["--sleep-delay", "0"]] {
        let args = ["app", "workoff", "-d", &db.url].into_iter().chain(setting);
        assert_eq!(App::new().state(Mailer { sent: &SENT }).run_from(args).await, Exit::Usage, "{setting:?}");
    }
}

#[tokio::test]
async fn a_job_without_its_state_stops_the_worker_before_it_starts() {
    let db = Database::new("no_state").await;
    assert_eq!(App::new().run_from(["app", "workoff", "-d", &db.url]).await, Exit::Failed);
}

#[test]
fn the_flags_and_variables_of_delayed_job_are_named_in_the_help() {
    let ran = djob(&["work", "--help"]).ends(Exit::Done);
    for name in
        ["--queues", "--queue", "--pool", "--min-priority", "--max-priority", "--sleep-delay", "--read-ahead"]
    {
        assert!(ran.out.contains(name), "{name}");
    }
    for name in ["QUEUES, then QUEUE", "MIN_PRIORITY", "MAX_PRIORITY", "SLEEP_DELAY", "READ_AHEAD"] {
        assert!(ran.out.contains(&format!("[env: {name}")), "{name}");
    }
}

// ---- jobs ----

#[tokio::test]
async fn jobs_are_listed_newest_first_and_page_by_page() {
    let db = Database::new("list").await;
    let ids = [db.welcome(1).await, db.welcome(2).await, db.welcome(3).await].map(|id| id.to_string());
    let page = db.djob(&["jobs", "list", "--limit", "2", "-o", "json"]).ends(Exit::Done).json();
    assert_eq!([&page["jobs"][0]["id"], &page["jobs"][1]["id"]], [&*ids[2], &*ids[1]]);
    let ran = db.djob(&["jobs", "list", "--limit", "2"]).ends(Exit::Done);
    let before = ran.err.split("--before ").nth(1).unwrap().trim();
    assert!(ids[1].ends_with(before));
    let rest = db.djob(&["jobs", "list", "--before", before, "-o", "json"]).ends(Exit::Done).json();
    assert_eq!(rest["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(rest["jobs"][0]["id"], *ids[0]);
}

#[tokio::test]
async fn jobs_are_listed_by_state_queue_and_kind() {
    let db = Database::new("filters").await;
    db.welcome(1).await;
    db.failed().await;
    for (flag, value, kind) in [
        ("--state", "failed", "break_down"),
        ("--state", "ready", "send_welcome"),
        ("--queue", "mail", "send_welcome"),
        ("--kind", "break_down", "break_down"),
    ] {
        let page = db.djob(&["jobs", "list", flag, value, "-o", "json"]).ends(Exit::Done).json();
        assert_eq!(page["jobs"].as_array().unwrap().len(), 1, "{flag} {value}");
        assert_eq!(page["jobs"][0]["kind"], kind);
    }
    db.djob(&["jobs", "list", "--state", "asleep"]).ends(Exit::Usage);
    let none = db.djob(&["jobs", "list", "--queue", "nobody"]).ends(Exit::Done);
    assert_eq!((&*none.out, &*none.err), ("", "There are no such jobs.\n"));
}

#[tokio::test]
async fn the_list_is_a_plain_table_without_colours_in_a_pipe() {
    let db = Database::new("table").await;
    let id = db.failed().await.to_string();
    let ran = db.djob(&["jobs", "list"]).ends(Exit::Done);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with("ID        STATE   KIND        QUEUE"), "{}", ran.out);
    assert!(lines[1].starts_with(&id[28..]) && lines[1].ends_with("the server said no"), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}'));
}

#[tokio::test]
async fn show_prints_the_args_the_tags_the_error_and_the_attempts() {
    let db = Database::new("show").await;
    let (welcome, failed) = (db.welcome(7).await.to_string(), db.failed().await.to_string());
    let ran = db.djob(&["jobs", "show", &welcome[20..], &failed]).ends(Exit::Done);
    for part in
        [&*welcome, &*failed, "signup", "\"user_id\": 7", "the server said no", "attempts that went wrong"]
    {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    let jobs = &db.djob(&["jobs", "show", &failed, "-o", "json"]).ends(Exit::Done).json()["jobs"];
    assert_eq!(jobs[0]["attempts"][0]["error"], "the server said no");
    assert_eq!(jobs[0]["state"], "failed");
    assert!(jobs[0]["result"].is_null());
}

#[tokio::test]
async fn show_prints_what_the_function_returned() {
    static SENT: AtomicU32 = AtomicU32::new(0);
    let db = Database::new("result").await;
    let id = db.welcome(7).await.to_string();
    App::new().state(Mailer { sent: &SENT }).run_from(["app", "workoff", "-d", &db.url]).await;
    let jobs = &db.djob(&["jobs", "show", &id, "-o", "json"]).ends(Exit::Done).json()["jobs"];
    assert_eq!(jobs[0]["result"], "welcomed 7");
    assert_eq!(jobs[0]["args"]["user_id"], 7);
}

#[tokio::test]
async fn an_id_nobody_has_is_not_found_and_nothing_else_is_touched() {
    let db = Database::new("not_found").await;
    let id = db.welcome(7).await;
    let ran = db.djob(&["jobs", "cancel", &id.to_string(), &JobId::new().to_string()]).ends(Exit::NotFound);
    assert!(ran.error().starts_with("there is no job"), "{}", ran.err);
    assert_eq!(db.state(id).await, Some(JobState::Ready));
    db.djob(&["jobs", "show", "0000"]).ends(Exit::NotFound);
}

#[tokio::test]
async fn an_ambiguous_end_of_an_id_names_the_candidates() {
    let db = Database::new("ambiguous").await;
    let ids = ["0198c0f2-0000-7000-8000-00000000abcd", "0198c0f2-0000-7000-8000-00000001abcd"];
    for id in ids {
        let id: JobId = id.parse().unwrap();
        break_down.perform_later().id(id).on(&db.client).await.unwrap();
    }
    let ran = db.djob(&["jobs", "cancel", "ABCD"]).ends(Exit::Conflict);
    assert!(ids.iter().all(|id| ran.error().contains(id)), "{}", ran.err);
    db.djob(&["jobs", "cancel", "1abcd"]).ends(Exit::Done);
    assert_eq!(db.state(ids[0].parse().unwrap()).await, Some(JobState::Ready));
}

#[tokio::test]
async fn what_cannot_be_an_id_is_refused() {
    let db = Database::new("no_id").await;
    for text in ["abc", "not-hex", "0198c0f2-0000-7000-8000-00000000abcd0"] {
        let ran = db.djob(&["jobs", "show", text]).ends(Exit::Usage);
        assert!(ran.error().contains("at least its last 4 characters"), "{}", ran.err);
    }
}

#[tokio::test]
async fn failed_jobs_are_retried_and_waiting_ones_are_not() {
    let db = Database::new("retry").await;
    let (failed, waiting) = (db.failed().await, db.welcome(7).await);
    let ran = db.djob(&["jobs", "retry", &failed.to_string(), &waiting.to_string()]).ends(Exit::Conflict);
    assert_eq!(ran.out, format!("retried {failed} (break_down): due now\n"));
    assert!(
        ran.error().starts_with(&format!("job {waiting} (send_welcome) is ready: only failed")),
        "{}",
        ran.err
    );
    assert_eq!(db.state(failed).await, Some(JobState::Ready));
}

#[tokio::test]
async fn a_waiting_job_is_cancelled_at_once_and_a_finished_one_is_not() {
    let db = Database::new("cancel").await;
    let id = db.welcome(7).await;
    let ran = db.djob(&["jobs", "cancel", &id.to_string()]).ends(Exit::Done);
    assert_eq!(ran.out, format!("cancelled {id} (send_welcome)\n"));
    assert_eq!(db.state(id).await, Some(JobState::Cancelled));
    let ran = db.djob(&["jobs", "cancel", &id.to_string(), "-o", "json"]).ends(Exit::Conflict);
    assert_eq!(ran.json()["jobs"][0]["outcome"], "refused");
    assert!(ran.error().contains("is cancelled: only unfinished jobs"), "{}", ran.err);
}

#[tokio::test]
async fn a_running_job_is_asked_to_stop_and_cannot_be_deleted() {
    let db = Database::new("running").await;
    let id = wait_for_the_end.perform_later().on(&db.client).await.unwrap().id();
    let mut events = db.client.events();
    let worker =
        Worker::new(&db.client).only([wait_for_the_end.def()]).shutdown(Duration::ZERO, Duration::ZERO);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(worker.run_until(async { _ = stopped.await }));
    while !matches!(events.next().await, Some(djob::Event::Started { .. })) {}
    let refused = db.djob(&["jobs", "delete", "--yes", &id.to_string()]).ends(Exit::Conflict);
    assert!(
        refused.error().contains("is running: only jobs that do not run can be deleted"),
        "{}",
        refused.err
    );
    let ran = db.djob(&["jobs", "cancel", &id.to_string()]).ends(Exit::Done);
    assert_eq!(ran.out, format!("asked the worker of {id} (wait_for_the_end) to stop it\n"));
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn deleting_wants_a_yes_where_nobody_can_be_asked() {
    let db = Database::new("delete").await;
    let id = db.welcome(7).await;
    let ran = db.djob(&["jobs", "delete", &id.to_string()]).ends(Exit::Usage);
    assert!(ran.error().ends_with("add --yes"), "{}", ran.err);
    assert_eq!(db.state(id).await, Some(JobState::Ready));
    let ran = db.djob(&["jobs", "delete", "-y", &id.to_string()]).ends(Exit::Done);
    assert_eq!(ran.out, format!("deleted {id} (send_welcome)\n"));
    assert_eq!(db.state(id).await, None);
}

// ---- clear, check, stats ----

#[tokio::test]
async fn clear_forgets_the_waiting_jobs_of_a_queue_and_says_how_many() {
    let db = Database::new("clear").await;
    let failed = db.failed().await;
    db.welcome(1).await;
    db.welcome(2).await;
    break_down.perform_later().on(&db.client).await.unwrap();
    db.djob(&["clear"]).ends(Exit::Usage);
    let ran = db.djob(&["clear", "--queue", "mail", "--yes"]).ends(Exit::Done);
    assert_eq!(ran.out, "forgot 2 waiting jobs of queue \"mail\"\n");
    assert_eq!(db.djob(&["clear", "-y", "-o", "json"]).ends(Exit::Done).json()["cleared"], 1);
    assert_eq!(db.state(failed).await, Some(JobState::Failed));
}

#[tokio::test]
async fn check_fails_when_a_ready_job_waits_too_long() {
    let db = Database::new("check").await;
    assert_eq!(db.djob(&["check"]).ends(Exit::Done).out, "ok: no ready job has waited longer than 5m\n");
    db.welcome(1).await;
    db.djob(&["check", "--max-age", "1h30m"]).ends(Exit::Done);
    let ran = db.djob(&["check", "--max-age", "0"]).ends(Exit::CheckFailed);
    assert!(ran.error().starts_with("the oldest ready job of queue \"mail\" has waited "), "{}", ran.err);
    db.djob(&["check", "--max-age", "0", "--queue", "default"]).ends(Exit::Done);
    let report = db.djob(&["check", "--max-age", "0", "-o", "json"]).ends(Exit::CheckFailed).json();
    assert_eq!((&report["ok"], &report["queues"][0]["ready"]), (&false.into(), &1.into()));
    db.djob(&["check", "--max-age", "soon"]).ends(Exit::Usage);
}

#[tokio::test]
async fn check_fails_when_too_many_jobs_have_failed() {
    let db = Database::new("check_failed").await;
    db.failed().await;
    db.djob(&["check", "--max-failed", "1"]).ends(Exit::Done);
    let ran = db.djob(&["check", "--max-failed", "0"]).ends(Exit::CheckFailed);
    assert_eq!(ran.error(), "failed jobs: 1, the limit is 0: see `jobs list --state failed`");
}

#[tokio::test]
async fn stats_count_jobs_by_queue_and_state() {
    let db = Database::new("stats").await;
    assert_eq!(db.djob(&["stats"]).ends(Exit::Done).err, "There are no jobs.\n");
    db.failed().await;
    db.welcome(1).await;
    let ran = db.djob(&["stats"]).ends(Exit::Done);
    let first_words: Vec<_> = ran.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(first_words, ["QUEUE", "default", "mail", "all"]);
    let queues = &db.djob(&["stats", "-o", "json"]).ends(Exit::Done).json()["queues"];
    assert_eq!((&queues[0]["failed"], &queues[1]["ready"]), (&1.into(), &1.into()));
}

// ---- doctor ----

#[tokio::test]
async fn doctor_shows_a_healthy_database_at_a_glance() {
    let db = Database::new("doctor").await;
    let ran = db.djob(&["doctor", "--strict"]).ends(Exit::Done);
    let lines: Vec<&str> = ran.out.lines().collect();
    let (checks, end) = lines.split_at(lines.len() - 2);
    assert!(checks.iter().all(|line| line.starts_with("ok       ")), "{}", ran.out);
    assert_eq!(end, ["", format!("All {} checks are ok.", checks.len()).as_str()]);
    assert!(ran.err.is_empty() && !ran.out.contains('\u{1b}'), "{}", ran.err);
}

#[tokio::test]
async fn doctor_says_of_a_danger_why_it_matters_and_what_to_type() {
    let db = Database::new("doctor_danger").await;
    let pool = sqlx::SqlitePool::connect(&db.url).await.unwrap();
    sqlx::query("drop index djob_jobs_lane").execute(&pool).await.unwrap();
    let ran = db.djob(&["doctor"]).ends(Exit::CheckFailed);
    assert_eq!(ran.error(), "not well: indexes");
    let fix = "create index djob_jobs_lane on djob_jobs (queue, priority, run_at, id)";
    assert!(
        ran.out.contains("\ndanger   indexes       missing: djob_jobs_lane\n         Each claim"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains(&format!("\n         fix: {fix}\n")), "{}", ran.out);
    assert!(ran.out.ends_with("13 checks: 1 danger, 12 ok.\n"), "{}", ran.out);
    let report = db.djob(&["doctor", "-o", "json"]).ends(Exit::CheckFailed).json();
    assert_eq!((&report["ok"], &report["database"]), (&false.into(), &"SQLite".into()));
    let findings = report["findings"].as_array().unwrap();
    let indexes = findings.iter().find(|finding| finding["check"] == "indexes").unwrap();
    assert_eq!((&indexes["verdict"], &indexes["fix"]), (&"danger".into(), &fix.into()));
    let schema = findings.iter().find(|finding| finding["check"] == "schema").unwrap();
    assert!(schema["verdict"] == "ok" && schema["why"].is_null() && schema["fix"].is_null(), "{schema}");
}

#[tokio::test]
async fn doctor_fails_on_a_warning_only_when_it_is_strict() {
    let db = Database::new("doctor_strict").await;
    db.welcome(1).await;
    let pool = sqlx::SqlitePool::connect(&db.url).await.unwrap();
    sqlx::query("insert into djob_parked select *, 'broken_contract', '', 1, 0 from djob_jobs")
        .execute(&pool)
        .await
        .unwrap();
    let ran = db.djob(&["doctor"]).ends(Exit::Done);
    assert!(ran.out.contains("warning  parked        1 broken_contract\n"), "{}", ran.out);
    assert_eq!(db.djob(&["doctor", "--strict"]).ends(Exit::CheckFailed).error(), "not well: parked");
}

#[tokio::test]
async fn doctor_ends_like_every_command_where_the_tables_do_not_fit() {
    let url = fresh("doctor_tables");
    djob(&["doctor", "-d", &url]).ends(Exit::Unreachable);
    drop(djob::connect(&url).await.unwrap());
    let ran = djob(&["doctor", "-d", &url]).ends(Exit::Schema);
    assert!(ran.error().starts_with("djob's tables are missing"), "{}", ran.err);
    let db = Database::new("doctor_newer").await;
    let pool = sqlx::SqlitePool::connect(&db.url).await.unwrap();
    let newer = "insert into _djob_migrations (version, description, success, checksum, execution_time) \
                 values (9999, 'later', true, x'00', 0)";
    sqlx::query(newer).execute(&pool).await.unwrap();
    let ran = db.djob(&["doctor", "-o", "json"]);
    assert!(ran.out.contains("on which this program, which knows"), "{}", ran.out);
    sqlx::query("update djob_schema set oldest = 9999").execute(&pool).await.unwrap();
    let ran = db.djob(&["doctor"]).ends(Exit::Schema);
    assert!(ran.error().contains("deploy a newer version"), "{}", ran.err);
    assert!(ran.out.contains("danger   schema"), "{}", ran.out);
}

// ---- db ----

#[tokio::test]
async fn the_tables_are_missing_then_made_then_up_to_date() {
    let url = fresh("migrate");
    let ran = djob(&["db", "status", "-d", &url]).ends(Exit::Unreachable);
    assert!(ran.error().starts_with("there is no database file"), "{}", ran.err);
    drop(djob::connect(&url).await.unwrap());
    assert_eq!(
        djob(&["db", "status", "-o", "json", "-d", &url]).ends(Exit::Schema).json()["status"],
        "pending"
    );
    let ran = djob(&["stats", "-d", &url]).ends(Exit::Schema);
    assert!(ran.error().starts_with("djob's tables are missing"), "{}", ran.err);
    let ran = djob(&["db", "migrate", "-d", &url]).ends(Exit::Done);
    assert!(ran.out.starts_with("migrated djob's tables from version 0 to "), "{}", ran.out);
    let ran = djob(&["db", "migrate", "-d", &url]).ends(Exit::Done);
    assert!(ran.out.starts_with("djob's tables are up to date"), "{}", ran.out);
    djob(&["db", "status", "-d", &url]).ends(Exit::Done);
}

#[tokio::test]
async fn tables_of_a_newer_version_are_left_alone() {
    let db = Database::new("newer").await;
    let pool = sqlx::SqlitePool::connect(&db.url).await.unwrap();
    let newer = "insert into _djob_migrations (version, description, success, checksum, execution_time) \
                 values (9999, 'later', true, x'00', 0)";
    sqlx::query(newer).execute(&pool).await.unwrap();
    for args in [&["stats"][..], &["jobs", "list"]] {
        db.djob(args).ends(Exit::Done);
    }
    let ran = db.djob(&["db", "migrate"]).ends(Exit::Done);
    assert_eq!(ran.out, "djob's tables are newer than this program (version 9999)\n");
    let ran = db.djob(&["db", "status"]).ends(Exit::Done);
    assert!(ran.out.contains("version 9999, for programs that know 1 or later"), "{}", ran.out);
    sqlx::query("update djob_schema set oldest = 9999").execute(&pool).await.unwrap();
    for args in [&["stats"][..], &["jobs", "list"], &["db", "migrate"]] {
        let ran = db.djob(args).ends(Exit::Schema);
        assert!(ran.error().contains("deploy a newer version"), "{}", ran.err);
    }
    assert_eq!(db.djob(&["db", "status", "-o", "json"]).ends(Exit::Schema).json()["status"], "newer");
}

#[test]
fn the_statements_of_every_database_are_printed_without_a_database() {
    for (database, url, word) in [
        ("sqlite", "sqlite://jobs.db", "without rowid"),
        ("postgres", "postgres://host/jobs", "plpgsql"),
        ("mysql", "mysql://host/jobs", "engine = InnoDB"),
    ] {
        let ran = djob(&["db", "sql", database]).ends(Exit::Done);
        assert!(ran.out.starts_with("-- 0001 ") && ran.out.contains("djob_jobs ("), "{}", ran.out);
        assert!(ran.out.contains(word), "{database}");
        assert_eq!(djob(&["db", "sql", "-d", url]).ends(Exit::Done).out, ran.out, "{url}");
    }
    // What is within a procedure ends with a semicolon, too.
    let mysqls = djob(&["db", "sql", "mysql"]).ends(Exit::Done).out;
    let count = |text: &str| mysqls.matches(text).count();
    let (begun, ended) = (count("\ndelimiter //\ncreate procedure "), count("\nend//\ndelimiter ;\n"));
    assert_eq!((begun, ended), (2, 2), "{mysqls}");
    let prefixed = djob(&["db", "sql", "sqlite", "--prefix", "q_", "-o", "json"]).ends(Exit::Done).json();
    assert!(prefixed["migrations"][0]["sql"].as_str().unwrap().contains("create table q_jobs"));
    djob(&["db", "sql"]).ends(Exit::Usage);
}

// ---- the database's address, help ----

#[tokio::test]
async fn the_database_is_named_by_the_flag_then_by_the_environment() {
    let db = Database::new("environment").await;
    let run = |env: &[(&str, &str)], args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_djob"));
        let status =
            command.arg("stats").args(args).env_clear().envs(env.iter().copied()).output().unwrap().status;
        status.code()
    };
    let (good, bad) = (db.url.as_str(), "redis://localhost");
    assert_eq!(run(&[("DJOB_DATABASE_URL", bad)], &["-d", good]), Some(0));
    assert_eq!(run(&[("DJOB_DATABASE_URL", good), ("DATABASE_URL", bad)], &[]), Some(0));
    assert_eq!(run(&[("DJOB_DATABASE_URL", ""), ("DATABASE_URL", good)], &[]), Some(0));
    assert_eq!(run(&[("DATABASE_URL", bad)], &[]), Some(1));
    assert_eq!(run(&[], &[]), Some(2));
}

#[test]
fn a_database_that_does_not_answer_is_said_without_its_password() {
    let ran = djob(&["stats", "-d", "postgres://ada:open-sesame@127.0.0.1:1/jobs?sslmode=disable"])
        .ends(Exit::Unreachable);
    assert!(ran.error().starts_with("the database "), "{}", ran.err);
    assert!(!ran.err.contains("sesame"), "{}", ran.err);
    djob(&["stats", "-d", "sqlite:///no/such/folder/jobs.db"]).ends(Exit::Unreachable);
    djob(&["db", "migrate", "-d", "sqlite:///no/such/folder/jobs.db"]).ends(Exit::Unreachable);
}

#[test]
fn a_url_in_the_wrong_place_does_not_show_its_password_either() {
    let ran = djob(&["stats", "postgres://ada:open-sesame@host/jobs"]).ends(Exit::Usage);
    assert!(ran.err.contains("postgres://ada:***@host/jobs") && !ran.err.contains("sesame"), "{}", ran.err);
}

#[test]
fn the_help_names_every_exit_code() {
    let ran = djob(&["--help"]).ends(Exit::Done);
    for code in [
        "0  done",
        "1  failed",
        "2  ",
        "3  no such job",
        "4  the check",
        "5  the job",
        "6  ",
        "7  ",
        "8  the tables",
    ] {
        assert!(ran.out.contains(&format!("\n  {code}")), "{code}");
    }
    djob(&[]).ends(Exit::Usage);
    assert!(djob(&["--version"]).ends(Exit::Done).out.starts_with("djob "));
}
