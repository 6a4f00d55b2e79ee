//! Claims. Large ones take turns: who claims alone need not lock each row before it deletes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

use super::rows;
use crate::job::Claim;
use crate::storage::statement::Statement::{self, CLAIM, CLAIM_IN_TURN};
use crate::storage::statement::Texts;
use crate::storage::verbs::Now;
use crate::storage::{Known, LaneAt, StorageError};

type Result<T> = std::result::Result<T, StorageError>;

/// From here on a claim waits for its turn: a smaller one costs less than the waiting.
const LARGE: u32 = 250;
/// How long nobody waits for turns after somebody else's lock was in the way.
const BLOCKED: Duration = Duration::from_secs(2);

/// Whether it is worth while to claim in turns.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    start: Instant,
    /// Milliseconds since the start until which rows may be locked by others than claimers.
    blocked_until: Arc<AtomicU64>,
}

impl Default for Turns {
    fn default() -> Self {
        Turns { start: Instant::now(), blocked_until: Arc::default() }
    }
}

impl Turns {
    /// Never: without them a claim is one statement, also after an error.
    pub(super) fn never() -> Self {
        Turns { start: Instant::now(), blocked_until: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn are_worth_it(&self, limit: u32) -> bool {
        limit >= LARGE && self.elapsed() >= Duration::from_millis(self.blocked_until.load(Relaxed))
    }

    fn were_blocked(&self) {
        let until = u64::try_from((self.elapsed() + BLOCKED).as_millis()).unwrap_or(u64::MAX);
        self.blocked_until.store(until, Relaxed);
    }
}

/// What a claimer asks for: up to `limit` due jobs out of the lanes.
pub(super) struct Claiming<'a> {
    pub(super) texts: &'a Texts,
    pub(super) now: Now,
    pub(super) worker: Uuid,
    pub(super) lanes: &'a [LaneAt],
    pub(super) limit: u32,
    /// The kinds and versions to take; without it everything.
    pub(super) known: Option<&'a [Known]>,
}

impl Claiming<'_> {
    /// Claims, in its turn where that is worth it.
    pub(super) async fn claim(&self, conn: &mut PgConnection, turns: &Turns) -> Result<Vec<Claim>> {
        if turns.are_worth_it(self.limit) {
            match self.ask(conn, CLAIM_IN_TURN).await {
                Ok(rows) if rows.first().is_some_and(is_no_turn) => {}
                Ok(rows) => return claims(&rows),
                Err(error) if error.is_lock_timeout() => turns.were_blocked(),
                Err(error) => return Err(error),
            }
        }
        claims(&self.ask(conn, CLAIM).await?)
    }

    async fn ask(&self, conn: &mut PgConnection, statement: Statement) -> Result<Vec<PgRow>> {
        let query = self
            .texts
            .query(statement)
            .bind(self.worker)
            .bind(self.lanes.iter().map(|lane| &*lane.queue).collect::<Vec<_>>())
            .bind(self.lanes.iter().map(|lane| lane.priority).collect::<Vec<_>>())
            .bind(self.lanes.iter().map(|lane| lane.after.run_at).collect::<Vec<_>>())
            .bind(self.lanes.iter().map(|lane| lane.after.id).collect::<Vec<_>>())
            .bind(self.lanes.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
            .bind(i64::from(self.limit))
            .bind(self.known.map(|known| known.iter().map(|known| &*known.kind).collect::<Vec<_>>()))
            .bind(
                self.known
                    .map(|known| known.iter().map(|known| i32::from(known.version)).collect::<Vec<_>>()),
            )
            .bind(self.now);
        Ok(query.fetch_all(conn).await?)
    }
}

fn claims(rows: &[PgRow]) -> Result<Vec<Claim>> {
    rows.iter().map(|row| Ok(rows::claim(row)?.1)).collect()
}

fn is_no_turn(row: &PgRow) -> bool {
    row.try_get::<Option<Uuid>, _>(0).is_ok_and(|id| id.is_none())
}
