//! The database under test, and what it spends.

use std::fs;

use djob::sqlx::{self, Connection as _, Row as _};
use djob::{BoxError, Client};
use djob_servers::{Durability, Postgres, Server};

use crate::args::Args;

/// A database of its own for this run; gone with it if the benchmark made it.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) client: Client,
    _server: Option<Server>,
    _folder: Option<tempfile::TempDir>,
}

/// A room that is filled by plain SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Waiting,
    /// Waiting, and due in a day.
    Scheduled,
    /// Waiting for longer than all others, of a kind that no worker knows.
    Unread,
    /// Set aside, since no worker knows their kind.
    Parked,
    Finished,
}

/// No-op jobs to be put into a room at once, without anybody being told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill {
    pub(crate) room: Room,
    /// The first id in the arguments; those that were put in before come before these.
    pub(crate) first: u64,
    pub(crate) count: u64,
    /// Over so many queues, and so many priorities.
    pub(crate) queues: u64,
    pub(crate) priorities: u64,
}

/// What the database has spent so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) cpu_us: f64,
    pub(crate) wal_bytes: f64,
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
        Ok(Database { url, client, _server: server, _folder: folder })
    }

    /// Leaves no job.
    pub(crate) async fn empty(&self) -> Result<(), BoxError> {
        let verb = if self.is_postgres() { "truncate" } else { "delete from" };
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

    async fn execute(&self, text: String) -> Result<(), BoxError> {
        let text = sqlx::raw_sql(sqlx::AssertSqlSafe(text));
        if self.is_postgres() {
            text.execute(&mut sqlx::PgConnection::connect(&self.url).await?).await?;
        } else {
            text.execute(&mut sqlx::SqliteConnection::connect(&self.url).await?).await?;
        }
        Ok(())
    }

    /// Puts jobs in.
    pub(crate) async fn fill(&self, fill: &Fill) -> Result<(), BoxError> {
        let Fill { room, first, count, queues, priorities } = *fill;
        let (postgres, last) = (self.is_postgres(), first + count);
        // Ids that grow, as those of real jobs do.
        let (id, now, day) = match postgres {
            true => (
                "('01a20000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid",
                "now()",
                "interval '1 day'",
            ),
            false => {
                ("unhex(printf('01a20000000070008000%012x', n))", "unixepoch() * 1000000", "86400000000")
            }
        };
        let numbers = match postgres {
            true => format!("generate_series({first}, {last} - 1) as n"),
            false => format!("generated where n < {last}"),
        };
        let args = if postgres { "json_build_object('id', n)" } else { "json_object('id', n)" };
        let (table, more, values) = match room {
            Room::Waiting | Room::Scheduled | Room::Unread => ("jobs", "", String::new()),
            Room::Parked => (
                "parked",
                ", reason, detail, parked_at",
                format!(", 'unknown_kind', 'nobody knows it', {now}"),
            ),
            Room::Finished => (
                "finished",
                ", state, ran_us, finished_at, keep_until",
                format!(", 'completed', 1, {now}, {now} + {day}"),
            ),
        };
        let run_at = match room {
            Room::Scheduled => format!("{now} + {day}"),
            Room::Unread => format!("{now} - {day}"),
            _ => now.to_owned(),
        };
        let kind = if matches!(room, Room::Unread | Room::Parked) { "nobodys" } else { "noop" };
        let with = match postgres {
            true => String::new(),
            false => format!(
                "with recursive generated (n) as (select {first} union all select n + 1 from generated where n < {last}) "
            ),
        };
        let text = format!(
            "insert into djob_{table} (id, queue, kind, priority, run_at, attempt, max_attempts, args{more}) {with}\
             select {id}, case when {queues} = 1 then 'default' else 'q' || n % {queues} end, '{kind}', n % {priorities}, \
             {run_at}, 0, 25, {args}{values} from {numbers}"
        );
        let text = sqlx::raw_sql(sqlx::AssertSqlSafe(text));
        if postgres {
            text.execute(&mut sqlx::PgConnection::connect(&self.url).await?).await?;
        } else {
            text.execute(&mut sqlx::SqliteConnection::connect(&self.url).await?).await?;
        }
        Ok(())
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// Settles the dust before a measurement: statistics, dead rows, dirty pages.
    pub(crate) async fn calm(&self) -> Result<(), BoxError> {
        if self.is_postgres() {
            let mut conn = sqlx::PgConnection::connect(&self.url).await?;
            for statement in ["vacuum analyze", "checkpoint"] {
                sqlx::raw_sql(statement).execute(&mut conn).await?;
            }
        }
        Ok(())
    }

    /// What a PostgreSQL on this machine has spent so far: CPU of the server and all its children, and bytes of WAL.
    pub(crate) async fn spent(&self) -> Result<Option<Cost>, BoxError> {
        if !self.is_postgres() {
            return Ok(None);
        }
        let mut conn = sqlx::PgConnection::connect(&self.url).await?;
        let query = "select pg_backend_pid(), (pg_current_wal_lsn() - '0/0')::float8";
        let row = sqlx::query(query).fetch_one(&mut conn).await?;
        let Some(server) = stat(row.get::<i32, _>(0)).map(|stat| stat.parent) else { return Ok(None) };
        let children =
            fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let of_children: f64 =
            children.filter_map(stat).filter(|stat| stat.parent == server).map(|stat| stat.own).sum();
        let own = stat(server).map_or(0.0, |stat| stat.own + stat.reaped);
        Ok(Some(Cost { cpu_us: (own + of_children) * 10_000.0, wal_bytes: row.get(1) }))
    }

    /// What has been spent since.
    pub(crate) async fn spent_since(&self, before: Option<Cost>) -> Result<Option<Cost>, BoxError> {
        let now = self.spent().await?;
        Ok(now.zip(before).map(|(now, before)| Cost {
            cpu_us: now.cpu_us - before.cpu_us,
            wal_bytes: now.wal_bytes - before.wal_bytes,
        }))
    }

    /// How many jobs are not finished.
    pub(crate) async fn unfinished(&self) -> Result<i64, BoxError> {
        let counts = self.client.counts().await?;
        Ok(counts.iter().filter(|count| !count.state.is_final()).map(|count| count.jobs).sum())
    }
}

/// The times of a process, in hundredths of a second.
struct Stat {
    parent: i32,
    own: f64,
    reaped: f64,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: number(11)? + number(12)?,
        reaped: number(13)? + number(14)?,
    })
}
