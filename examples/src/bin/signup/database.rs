//! The application's own tables, in SQLite or PostgreSQL. A program with one database needs half of this.

use std::str::FromStr;

use chrono::NaiveDate;
use djob::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use djob::sqlx::{self, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use djob::storage::Conn;
use djob::{BoxError, Client, EnqueueIn, JobId};

#[derive(Clone)]
pub(crate) enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A transaction: rolled back when it is dropped without [`commit`](Tx::commit).
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) welcome: JobId,
}

type UserRow = (i64, String, String, JobId);

/// Both databases understand the same words here, but sqlx has other types for each.
macro_rules! on_either {
    ($database:expr, $conn:ident => $work:expr) => {
        match $database {
            Self::Sqlite($conn) => $work,
            Self::Postgres($conn) => $work,
        }
    };
}

impl Database {
    pub(crate) async fn open(url: &str) -> Result<Database, BoxError> {
        match url.split(':').next() {
            Some("sqlite") => {
                let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true);
                let options = options.journal_mode(SqliteJournalMode::Wal);
                Ok(Database::Sqlite(SqlitePool::connect_with(options).await?))
            }
            Some("postgres" | "postgresql") => Ok(Database::Postgres(PgPool::connect(url).await?)),
            _ => Err("DATABASE_URL must begin with `sqlite://` or `postgres://`".into()),
        }
    }

    /// djob beside the application, in the same database.
    pub(crate) async fn client(&self) -> Result<Client, BoxError> {
        Ok(match self {
            Database::Sqlite(pool) => Client::builder().sqlite(pool.clone()).await?,
            Database::Postgres(pool) => Client::builder().postgres(pool.clone()).await?,
        })
    }

    pub(crate) async fn create_tables(&self) -> sqlx::Result<()> {
        let schema = match self {
            Database::Sqlite(_) => include_str!("schema.sqlite.sql"),
            Database::Postgres(_) => include_str!("schema.postgres.sql"),
        };
        on_either!(self, pool => sqlx::raw_sql(schema).execute(pool).await.map(drop))
    }

    /// In SQLite a transaction that will write says so at once: one that begins by reading could not be sure to.
    pub(crate) async fn begin(&self) -> sqlx::Result<Tx> {
        Ok(match self {
            Database::Sqlite(pool) => Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Database::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    pub(crate) async fn newest_users(&self, limit: i64) -> sqlx::Result<Vec<User>> {
        let sql = "select id, name, email, welcome from users order by id desc limit $1";
        let rows: Vec<UserRow> =
            on_either!(self, pool => sqlx::query_as(sql).bind(limit).fetch_all(pool).await)?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    pub(crate) async fn all_users(&self) -> sqlx::Result<Vec<User>> {
        let sql = "select id, name, email, welcome from users order by id";
        let rows: Vec<UserRow> = on_either!(self, pool => sqlx::query_as(sql).fetch_all(pool).await)?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    pub(crate) async fn signups_on(&self, day: NaiveDate) -> sqlx::Result<i64> {
        let sql = "select signups from days where day = $1";
        let count = on_either!(self, pool => sqlx::query_scalar(sql).bind(day).fetch_optional(pool).await)?;
        Ok(count.unwrap_or(0))
    }

    pub(crate) async fn job_of_report(&self, id: i64) -> sqlx::Result<Option<JobId>> {
        let sql = "select job from reports where id = $1";
        on_either!(self, pool => sqlx::query_scalar(sql).bind(id).fetch_optional(pool).await)
    }
}

impl Tx {
    pub(crate) async fn insert_user(&mut self, name: &str, email: &str, welcome: JobId) -> sqlx::Result<()> {
        let sql = "insert into users (name, email, welcome) values ($1, $2, $3)";
        on_either!(self, tx => {
            sqlx::query(sql).bind(name).bind(email).bind(welcome).execute(&mut **tx).await.map(drop)
        })
    }

    pub(crate) async fn insert_report(&mut self, job: JobId) -> sqlx::Result<i64> {
        let sql = "insert into reports (job) values ($1) returning id";
        on_either!(self, tx => sqlx::query_scalar(sql).bind(job).fetch_one(&mut **tx).await)
    }

    pub(crate) async fn count_signup(&mut self, day: NaiveDate) -> sqlx::Result<()> {
        let sql = "insert into days (day, signups) values ($1, 1) \
                   on conflict (day) do update set signups = days.signups + 1";
        on_either!(self, tx => sqlx::query(sql).bind(day).execute(&mut **tx).await.map(drop))
    }

    pub(crate) async fn commit(self) -> sqlx::Result<()> {
        on_either!(self, tx => tx.commit().await)
    }
}

/// Lets djob enqueue into this type of ours, `.in_tx(&mut tx)`, as it does into a transaction of sqlx.
impl<'a> EnqueueIn<'a> for &'a mut Tx {
    fn conn(self) -> Conn<'a> {
        match self {
            Tx::Sqlite(tx) => tx.conn(),
            Tx::Postgres(tx) => tx.conn(),
        }
    }
}

impl From<UserRow> for User {
    fn from((id, name, email, welcome): UserRow) -> User {
        User { id, name, email, welcome }
    }
}
