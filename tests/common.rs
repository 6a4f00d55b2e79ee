//! What the tests share: databases of their own, worker processes, jobs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use djob::sqlx::{self, Connection as _, Executor as _};
use djob::{Client, job};

/// The same job as in the worker process; this process only enqueues it.
#[job(retries = 3, backoff = "fixed 100ms")]
pub async fn tally(number: u64, sleep_ms: u64) -> Result<u64, djob::BoxError> {
    let _ = sleep_ms;
    Ok(number)
}

/// The job that keeps a thread busy; only ever run by the worker process.
#[job]
pub async fn hog(busy_ms: u64) {
    let _ = busy_ms;
}

/// The job that takes its process down; only ever run by the worker process.
#[job]
pub async fn poison(how: String) {
    drop(how);
    std::process::abort();
}

/// A database of this test's own, migrated.
pub struct Database {
    pub url: String,
    pub client: Client,
    pub folder: tempfile::TempDir,
}

pub async fn sqlite() -> Database {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("jobs.db").display());
    migrated(url, folder).await
}

pub async fn postgres() -> Database {
    postgres_with("").await
}

/// The same after these statements, in which `{}` is the database's name.
pub async fn postgres_with(statements: &str) -> Database {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = djob_servers::postgres_url().unwrap_or_else(|error| panic!("{error}"));
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut admin = sqlx::PgConnection::connect(&server).await.unwrap();
    admin.execute(sqlx::AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    for statement in statements.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        admin.execute(sqlx::AssertSqlSafe(statement.replace("{}", &name))).await.unwrap();
    }
    let url = server.replacen("/postgres?", &format!("/{name}?"), 1);
    migrated(url, tempfile::tempdir().unwrap()).await
}

pub async fn mysql() -> Database {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = djob_servers::mysql_url().unwrap_or_else(|error| panic!("{error}"));
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut admin = sqlx::MySqlConnection::connect(&server).await.unwrap();
    admin.execute(sqlx::AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    let url = server.replacen("/mysql?", &format!("/{name}?"), 1);
    migrated(url, tempfile::tempdir().unwrap()).await
}

pub async fn migrated(url: String, folder: tempfile::TempDir) -> Database {
    let client = djob::connect(&url).await.unwrap();
    client.migrate().await.unwrap();
    Database { url, client, folder }
}

impl Database {
    pub fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// Starts a worker process on this database.
    pub fn worker(&self, settings: &[(&str, &str)]) -> Process {
        self.worker_logging_to(settings, Stdio::inherit())
    }

    /// The same with its log going elsewhere.
    pub fn worker_logging_to(&self, settings: &[(&str, &str)], log: impl Into<Stdio>) -> Process {
        // A worker that would take all memory is refused it, and ends as if it had been killed for that.
        let mut command = Command::new("sh");
        command
            .args(["-c", "ulimit -v 4000000; exec \"$0\"", env!("CARGO_BIN_EXE_worker")])
            .env("DATABASE_URL", &self.url)
            .env("LEDGER", self.ledger())
            .stdout(Stdio::piped())
            .stderr(log);
        command.envs(settings.iter().copied());
        Process(command.spawn().unwrap())
    }
}

/// A worker process; killed at the latest when the test is over.
pub struct Process(pub Child);

impl Process {
    /// SIGKILL: no last words.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let sent =
            Command::new("sh").args(["-c", &format!("kill -{name} {}", self.0.id())]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end, and returns how many outcomes were accepted.
    pub fn accepted(mut self) -> u64 {
        use std::io::Read as _;
        let mut said = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(self.0.wait().unwrap().success());
        said.trim()
            .strip_prefix("accepted ")
            .and_then(|number| number.parse().ok())
            .unwrap_or_else(|| panic!("{said:?}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `test` in a process of its own, which is this program again, with these variables and by way of `through`. `name` is
/// that of the test that calls.
pub fn in_a_process_of_its_own<F: Future<Output = ()>>(
    name: &str,
    settings: &[(&str, String)],
    through: &[&str],
    test: impl FnOnce() -> F,
) {
    if std::env::var("DJOB_TEST_APART").as_deref() == Ok(name) {
        return tokio::runtime::Runtime::new().unwrap().block_on(test());
    }
    let program = std::env::current_exe().unwrap();
    let mut words = through.iter().map(std::ffi::OsString::from).chain([program.into()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["--exact", name, "--nocapture"]).env("DJOB_TEST_APART", name);
    let status = command.envs(settings.iter().map(|(name, value)| (name, value))).status().unwrap();
    assert!(status.success(), "{name} did not go well in its process: see the output above");
}

/// The ids in a ledger, one for each run.
pub fn runs(ledger: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(ledger).unwrap_or_default();
    text.lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

/// Looks until `seen` says yes; panics after `limit`.
pub async fn eventually(what: &str, limit: Duration, mut seen: impl AsyncFnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !seen().await {
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed()
}

/// How many jobs are in this state.
pub async fn count(client: &Client, state: djob::JobState) -> i64 {
    client.counts().await.unwrap().iter().filter(|count| count.state == state).map(|count| count.jobs).sum()
}
