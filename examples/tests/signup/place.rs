//! A place where the application runs: a folder and a database of its own; and the application as its visitors see it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use djob::sqlx::{self, AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Place {
    folder: TempDir,
    database: Option<String>,
    runtime: Runtime,
}

impl Place {
    pub(crate) fn on_sqlite() -> Place {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Place { folder: TempDir::new().unwrap(), database: None, runtime }
    }

    pub(crate) fn on_postgres() -> Place {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("signup_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let server = djob_servers::postgres_url().unwrap();
        let place = Place::on_sqlite();
        place.block_on(async {
            let mut conn = PgConnection::connect(&server).await.unwrap();
            sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut conn).await.unwrap();
        });
        Place { database: Some(with_database(&server, &name)), ..place }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn database_url(&self) -> String {
        let file = || format!("sqlite://{}", self.folder().join("signup.db").display());
        self.database.clone().unwrap_or_else(file)
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Starts the application in this place, on a free port, and returns when it is ready.
    pub(crate) fn start(&self, arguments: &[&str]) -> App {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signup"));
        command
            .args(arguments)
            .current_dir(self.folder())
            .env("PORT", "0")
            .env("RUST_LOG", "warn,sqlx=error")
            .env_remove("DATABASE_URL");
        command.envs(self.database.iter().map(|url| ("DATABASE_URL", url)));
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut ready = String::new();
        output.read_line(&mut ready).unwrap();
        let address = ready.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        App { address: address.unwrap_or_default().to_owned(), process, output }
    }
}

/// The same server, another database.
fn with_database(server: &str, name: &str) -> String {
    let (host, settings) = server.split_once('?').map_or((server, ""), |(host, settings)| (host, settings));
    let (host, _) = host.rsplit_once('/').unwrap();
    format!("{host}/{name}?{settings}")
}

/// A running application; killed if a test does not come to its end.
pub(crate) struct App {
    address: String,
    process: Child,
    output: BufReader<ChildStdout>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl App {
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "")
    }

    pub(crate) fn post(&self, path: &str, form: &str) -> Answer {
        self.request("POST", path, form)
    }

    /// The page, as soon as it holds this text.
    pub(crate) fn page_with(&self, path: &str, text: &str) -> String {
        within(&format!("{text:?} on {path}"), || {
            Some(self.get(path).body).filter(|body| body.contains(text))
        })
    }

    /// Ends the application as an operator does, and sees that it says good-bye.
    pub(crate) fn stop(mut self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = within("the end of the process", || self.process.try_wait().unwrap());
        assert!(status.success(), "{status}");
        let mut last_words = String::new();
        self.output.read_to_string(&mut last_words).unwrap();
        assert!(last_words.ends_with("has stopped.\n"), "{last_words}");
    }

    fn request(&self, method: &str, path: &str, form: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.address,
            form.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // After a test that went well there is nothing left to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

/// Looks until there is something to see, but not for ever.
pub(crate) fn within<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
