//! What is done to the database: all of it by the server's own means, or by signals.

use std::fs;
use std::time::Duration;

use djob::BoxError;
use djob::sqlx::{self, AssertSqlSafe, Row as _};

use super::Site;
use crate::bank::Till;
use crate::process::signal;

/// More connections than any server here gives.
const CROWD: usize = 1000;

impl Site {
    /// Stops the server and starts it again: as an administrator would, or by SIGKILL for all of its processes at once.
    pub(crate) async fn restart(&self, crash: bool) -> Result<(), BoxError> {
        let Some(server) = self.server.clone() else { return Ok(()) };
        let mut server = server.lock_owned().await;
        tokio::task::spawn_blocking(move || {
            if let Some(pid) = server.pid().filter(|_| crash) {
                // The first one stands still, so that it starts none of the others anew.
                signal(pid, "STOP");
                children(pid).into_iter().for_each(|child| signal(child, "KILL"));
                signal(pid, "KILL");
            }
            // A process that was about to start when it was looked for may still hold on to what the next server needs.
            let mut restarted = server.restart();
            for _ in 0..20 {
                if restarted.is_ok() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(500));
                restarted = server.restart();
            }
            restarted
        })
        .await??;
        Ok(())
    }

    /// Ends about half of the connections.
    pub(crate) async fn drop_connections(&self) -> Result<(), BoxError> {
        let mut till = self.connect().await?;
        match &mut till {
            Till::Sqlite(_) => {}
            Till::Postgres(_) => {
                till.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity
                     where pid <> pg_backend_pid() and datname = 'torture' and random() < 0.5",
                )
                .await?;
            }
            Till::MySql(conn) => {
                let list = "select id from information_schema.processlist
                            where id <> connection_id() and db = 'torture' and rand() < 0.5";
                for row in sqlx::query(list).fetch_all(&mut **conn).await? {
                    let id: i64 = row.try_get(0)?;
                    // It may have gone by itself.
                    let _ = sqlx::raw_sql(AssertSqlSafe(format!("kill {id}"))).execute(&mut **conn).await;
                }
            }
        }
        Ok(())
    }

    /// PostgreSQL takes no writes, or takes them again.
    pub(crate) async fn read_only(&self, on: bool) -> Result<(), BoxError> {
        let mut till = self.connect().await?;
        till.execute("set default_transaction_read_only = off").await?;
        till.execute(&format!("alter system set default_transaction_read_only = {on}")).await?;
        till.execute("select pg_reload_conf()").await?;
        Ok(())
    }

    /// Whether nobody holds SQLite's write lock.
    pub(crate) async fn takes_writes(&self) -> bool {
        let Ok(mut till @ Till::Sqlite(_)) = self.connect().await else { return true };
        let free = async {
            till.execute("PRAGMA busy_timeout = 100").await?;
            till.execute("BEGIN IMMEDIATE").await?;
            till.execute("ROLLBACK").await
        };
        free.await.is_ok()
    }

    /// Holds SQLite's write lock for so long.
    pub(crate) async fn hold_lock(&self, lasts: Duration) -> Result<(), BoxError> {
        let mut till = self.connect().await?;
        till.execute("BEGIN IMMEDIATE").await?;
        tokio::time::sleep(lasts).await;
        till.execute("ROLLBACK").await?;
        Ok(())
    }

    /// All of the server's processes stand still for so long, as they do while a disk does not answer.
    pub(crate) async fn stall(&self, lasts: Duration) -> Result<(), BoxError> {
        let Some(server) = self.server.clone() else { return Ok(()) };
        let server = server.lock_owned().await;
        let Some(pid) = server.pid() else { return Ok(()) };
        // The first one stands still first, so that it starts no others.
        signal(pid, "STOP");
        let children = children(pid);
        children.iter().for_each(|child| signal(*child, "STOP"));
        tokio::time::sleep(lasts).await;
        children.iter().chain([&pid]).for_each(|process| signal(*process, "CONT"));
        Ok(())
    }

    /// Somebody else has all the connections that the server gives.
    pub(crate) async fn crowd(&self, lasts: Duration) -> Result<(), BoxError> {
        let mut crowd = vec![];
        while let (true, Ok(till)) = (crowd.len() < CROWD, self.connect().await) {
            crowd.push(till);
        }
        tokio::time::sleep(lasts).await;
        Ok(())
    }

    /// Each of djob's tables gets a column more, and loses it again: a migration under the workers' hands.
    pub(crate) async fn migrate(&self) -> Result<(), BoxError> {
        let mut till = self.connect().await?;
        for change in ["add column of_a_later_version integer", "drop column of_a_later_version"] {
            for table in [
                "jobs", "claims", "parked", "finished", "attempts", "args", "unique", "cancels", "progress",
                "workers", "queues", "duties", "kinds",
            ] {
                // A lock that is not had soon is given up, as a careful migration does: others wait behind it.
                match &till {
                    Till::Postgres(_) => till.execute("set lock_timeout = '2s'").await?,
                    Till::MySql(_) => till.execute("set lock_wait_timeout = 2").await?,
                    Till::Sqlite(_) => till.execute("pragma busy_timeout = 2000").await?,
                }
                for _ in 0..10 {
                    if till.execute(&format!("alter table djob_{table} {change}")).await.is_ok() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The processes that this one has started.
fn children(pid: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |child: u32| {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    pids.filter(|child| parent(*child) == Some(pid)).collect()
}
