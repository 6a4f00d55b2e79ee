//! The database under test.

use djob::sqlx::{self, Connection as _};
use djob::{BoxError, Client};
use djob_servers::{Durability, MariaDb, Postgres, Server};

use crate::args::Args;
use crate::cost::Cost;
use crate::dialect::Dialect;
use crate::fill::Fill;

/// How many jobs are put in at once: a MySQL statement takes 16 MiB.
const AT_ONCE: u64 = 1_000_000;

/// A database of its own for this run; gone with it if the benchmark made it.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) dialect: Dialect,
    _server: Option<Server>,
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    pub(crate) async fn open(args: &Args) -> Result<Self, BoxError> {
        let (mut server, mut folder) = (None, None);
        let url = match &args.database_url {
            Some(url) => url.clone(),
            None if args.sqlite => {
                let made = tempfile::tempdir()?;
                let url = format!("sqlite://{}", made.path().join("bench.db").display());
                folder = Some(made);
                url
            }
            None if args.mysql => {
                let started = MariaDb::start(Durability::On)?;
                Dialect::MySql.execute(&started.url(), "create database bench".into()).await?;
                let url = started.url_for("bench");
                server = Some(started);
                url
            }
            None => {
                let started = Postgres::start(Durability::On)?;
                let url = started.url();
                server = Some(started);
                url
            }
        };
        let client = djob::connect(&url).await?;
        client.migrate().await?;
        if client.counts().await?.iter().any(|count| !count.state.is_final()) {
            return Err("the database holds unfinished jobs: benchmarks want one of their own".into());
        }
        let dialect = Dialect::of(&url);
        Ok(Database { url, client, dialect, _server: server, _folder: folder })
    }

    /// Leaves no job.
    pub(crate) async fn empty(&self) -> Result<(), BoxError> {
        let verb = if self.dialect == Dialect::Sqlite { "delete from" } else { "truncate" };
        for table in ["djob_jobs", "djob_claims", "djob_parked", "djob_finished", "djob_queues"] {
            self.execute(format!("{verb} {table}")).await?;
        }
        Ok(())
    }

    /// Pauses the queues of a [`Fill`], all at once, or resumes them.
    pub(crate) async fn pause(&self, queues: u64, pause: bool) -> Result<(), BoxError> {
        if !pause {
            return self.execute("delete from djob_queues".into()).await;
        }
        for n in 0..queues {
            self.client.pause(&if queues == 1 { "default".to_owned() } else { format!("q{n}") }).await?;
        }
        Ok(())
    }

    /// Puts jobs in.
    pub(crate) async fn fill(&self, fill: &Fill) -> Result<(), BoxError> {
        for begin in (0..fill.count).step_by(usize::try_from(AT_ONCE)?) {
            let part = Fill { first: fill.first + begin, count: AT_ONCE.min(fill.count - begin), ..*fill };
            self.execute(part.text(self.dialect)).await?;
        }
        Ok(())
    }

    async fn execute(&self, text: String) -> Result<(), BoxError> {
        self.dialect.execute(&self.url, text).await
    }

    /// Settles the dust before a measurement: statistics, dead rows, dirty pages.
    pub(crate) async fn calm(&self) -> Result<(), BoxError> {
        if self.dialect == Dialect::Postgres {
            let mut conn = sqlx::PgConnection::connect(&self.url).await?;
            for statement in ["vacuum analyze", "checkpoint"] {
                sqlx::raw_sql(statement).execute(&mut conn).await?;
            }
        }
        Ok(())
    }

    /// What a server on this machine has spent so far.
    pub(crate) async fn spent(&self) -> Result<Option<Cost>, BoxError> {
        Cost::so_far(self.dialect, &self.url).await
    }

    /// What it has spent since.
    pub(crate) async fn spent_since(&self, before: Option<Cost>) -> Result<Option<Cost>, BoxError> {
        Ok(self.spent().await?.zip(before).map(|(now, before)| now.since(before)))
    }

    /// How many jobs are not finished.
    pub(crate) async fn unfinished(&self) -> Result<i64, BoxError> {
        let counts = self.client.counts().await?;
        Ok(counts.iter().filter(|count| !count.state.is_final()).map(|count| count.jobs).sum())
    }
}
