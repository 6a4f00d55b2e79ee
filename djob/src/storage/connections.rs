//! The connections to a server, lent one by one.
//!
//! sqlx has one, too, but it asks the server after each use whether the connection is still well, which is a second round
//! trip for every call, and a connection that has died silently keeps its place there until TCP gives up. Here it goes back at
//! once if the call went well, is asked after an error, and is closed if nobody came back from the call.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::Connection;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::StorageError;
use super::error::Problem;
use super::trust::{Made, Trust};
use crate::job::BoxFuture;

/// How long a call waits for a connection, and for a new one to be made.
const LEND_MAX: Duration = Duration::from_secs(10);
/// Who takes longer to make a connection lets others try: theirs may not hang.
const TURN_MAX: Duration = Duration::from_secs(1);
/// How long a server may take to say that a connection is well.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// One that has rested for longer may have died meanwhile, and is asked before it is used.
const FRESH: Duration = Duration::from_secs(1);
/// One that nobody wanted for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(300);
/// None lives longer than this: a server's process grows with age, and what lies in between may have moved.
const AGE_MAX: Duration = Duration::from_secs(1800);

type Connect<C> = dyn Fn() -> BoxFuture<'static, Result<C, StorageError>> + Send + Sync;

/// Up to so many connections, made when they are needed, one after the other: calls that all find none, as after a restart of the
/// server, mostly do with one that another of them gives back.
pub(crate) struct Connections<C>(Arc<Inner<C>>);

struct Inner<C> {
    connect: Box<Connect<C>>,
    trust: Trust,
    places: Semaphore,
    /// Who has it makes a connection.
    making: Semaphore,
    given_back: Notify,
    /// Those at rest, the one that has rested longest first.
    resting: Mutex<VecDeque<Live<C>>>,
}

struct Live<C> {
    conn: C,
    made: Instant,
    used: Instant,
    trust: Made,
}

/// A connection that is in use. It is closed when it is dropped: see [`put_back`](Lent::put_back).
pub(crate) struct Lent<'a, C> {
    all: &'a Inner<C>,
    live: Live<C>,
    _place: SemaphorePermit<'a>,
}

impl<C: Connection> Connections<C> {
    /// Up to `max` connections that `connect` makes.
    pub(crate) fn new(
        max: usize,
        trust: Trust,
        connect: impl Fn() -> BoxFuture<'static, Result<C, StorageError>> + Send + Sync + 'static,
    ) -> Self {
        Connections(Arc::new(Inner {
            connect: Box::new(connect),
            trust,
            places: Semaphore::new(max),
            making: Semaphore::new(1),
            given_back: Notify::new(),
            resting: Mutex::default(),
        }))
    }

    /// Takes a connection that rests, or makes one.
    pub(crate) async fn lend(&self) -> Result<Lent<'_, C>, StorageError> {
        let none_free = || StorageError::new(Problem::Timeout("no free connection"));
        let place = timeout(LEND_MAX, self.0.places.acquire()).await.map_err(|_| none_free())?;
        let place = place.map_err(|_| none_free())?;
        let live = timeout(LEND_MAX, self.0.rested_or_made()).await;
        let live = live.unwrap_or_else(|_| Err(StorageError::new(Problem::Timeout("connect"))))?;
        Ok(Lent { all: &self.0, live, _place: place })
    }

    /// Does `work` on one of them, within `limit`. A connection that did not answer by then is thrown away.
    pub(crate) async fn call<T>(
        &self,
        limit: Duration,
        what: &'static str,
        work: impl AsyncFnOnce(&mut C) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut conn = self.lend().await?;
        match timeout(limit, work(&mut conn)).await {
            Ok(Ok(done)) => {
                conn.put_back();
                Ok(done)
            }
            Ok(Err(error)) => {
                let refused = self.0.trust.heed(conn.live.trust, Err(error));
                conn.put_back_if_well().await;
                refused
            }
            Err(_) => Err(StorageError::new(Problem::Timeout(what))),
        }
    }
}

impl<C> Clone for Connections<C> {
    fn clone(&self) -> Self {
        Connections(self.0.clone())
    }
}

impl<C> Inner<C> {
    fn resting(&self) -> std::sync::MutexGuard<'_, VecDeque<Live<C>>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that has rested shortest: the others may be needless.
    fn take(&self) -> Option<Live<C>> {
        let mut resting = self.resting();
        resting.retain(|live| self.trust.holds(live.trust));
        let live = resting.pop_back();
        if !resting.is_empty() {
            // Two that were given back at once may have been told of once.
            self.given_back.notify_one();
        }
        live
    }

    fn put_back(&self, mut live: Live<C>) {
        live.used = Instant::now();
        let mut resting = self.resting();
        if live.made.elapsed() < AGE_MAX && self.trust.holds(live.trust) {
            resting.push_back(live);
            self.given_back.notify_one();
        }
        // Here, since there is always somebody to come by while it matters.
        while resting.front().is_some_and(|live| live.used.elapsed() > IDLE_MAX) {
            resting.pop_front();
        }
    }
}

impl<C: Connection> Inner<C> {
    /// One that rests and is well, by now or in a moment; or a new one, when it is this caller's turn to make one.
    async fn rested_or_made(&self) -> Result<Live<C>, StorageError> {
        let mut turn = None;
        loop {
            while let Some(mut live) = self.take() {
                if live.used.elapsed() < FRESH || live.is_well().await {
                    return Ok(live);
                }
                // Those that have rested for longer have most likely died with it.
                self.resting().clear();
            }
            if turn.is_some() {
                let mut made = pin!(self.make());
                tokio::select! {
                    made = &mut made => return made,
                    () = tokio::time::sleep(TURN_MAX) => drop(turn),
                }
                return made.await;
            }
            tokio::select! {
                mine = self.making.acquire() => turn = mine.ok(),
                () = self.given_back.notified() => {}
            }
        }
    }

    async fn make(&self) -> Result<Live<C>, StorageError> {
        let trust = self.trust.made();
        let conn = (self.connect)().await?;
        Ok(Live { conn, made: Instant::now(), used: Instant::now(), trust })
    }
}

impl<C: Connection> Live<C> {
    async fn is_well(&mut self) -> bool {
        timeout(ANSWER_MAX, self.conn.ping()).await.is_ok_and(|answer| answer.is_ok())
    }
}

impl<C: Connection> Lent<'_, C> {
    /// Gives the connection back after a call that went well.
    pub(crate) fn put_back(self) {
        self.all.put_back(self.live);
    }

    /// Gives it back after a call that ended in an error, if the server says that the connection is well. That also ends
    /// a transaction which the call has left open.
    pub(crate) async fn put_back_if_well(mut self) {
        if self.live.is_well().await {
            self.all.put_back(self.live);
        } else {
            // Those at rest have most likely died with it.
            self.all.resting().clear();
        }
    }
}

impl<C> Deref for Lent<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.live.conn
    }
}

impl<C> DerefMut for Lent<'_, C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.live.conn
    }
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::PgConnection;
    use sqlx::{Executor as _, Row as _};

    use super::*;

    fn connections(max: usize) -> Connections<PgConnection> {
        let url = djob_servers::postgres_url().unwrap();
        Connections::new(max, Trust::default(), move || {
            let url = url.clone();
            Box::pin(async move { Ok(PgConnection::connect(&url).await?) })
        })
    }

    async fn process_of(conn: &mut PgConnection) -> i32 {
        conn.fetch_one("select pg_backend_pid()").await.unwrap().get(0)
    }

    #[tokio::test]
    async fn a_connection_is_lent_again_and_one_that_nobody_put_back_is_closed() {
        let connections = connections(1);
        let mut first = connections.lend().await.unwrap();
        let process = process_of(&mut first).await;
        first.put_back();
        let mut again = connections.lend().await.unwrap();
        assert_eq!(process_of(&mut again).await, process);
        drop(again);
        let mut other = connections.lend().await.unwrap();
        assert_ne!(process_of(&mut other).await, process);
    }

    #[tokio::test]
    async fn calls_that_all_find_none_do_with_what_others_give_back() {
        let connections = connections(10);
        let processes = std::sync::Mutex::new(std::collections::HashSet::new());
        let call = async || {
            let ask = async |conn: &mut PgConnection| Ok(process_of(conn).await);
            let process = connections.call(ANSWER_MAX, "ask", ask).await.unwrap();
            processes.lock().unwrap().insert(process);
        };
        tokio::join!(call(), call(), call(), call(), call(), call(), call(), call(), call(), call());
        let made = processes.lock().unwrap().len();
        assert!(made < 10, "ten calls made {made} connections");
        // Those that need one at the same time have one each.
        let mut lent = vec![];
        for _ in 0..10 {
            lent.push(connections.lend().await.unwrap());
        }
    }

    #[tokio::test]
    async fn an_error_leaves_no_transaction_open() {
        let connections = connections(1);
        let mut lent = connections.lend().await.unwrap();
        let process = process_of(&mut lent).await;
        {
            let mut tx = lent.begin().await.unwrap();
            tx.execute("select 1 / 0").await.unwrap_err();
        }
        lent.put_back_if_well().await;
        let mut other = PgConnection::connect(&djob_servers::postgres_url().unwrap()).await.unwrap();
        let state = sqlx::query("select state from pg_stat_activity where pid = $1").bind(process);
        assert_eq!(state.fetch_one(&mut other).await.unwrap().get::<String, _>(0), "idle");
    }

    #[tokio::test]
    async fn one_that_has_died_leaves_its_place_to_another() {
        let connections = connections(1);
        for _ in 0..2 {
            let mut lent = connections.lend().await.unwrap();
            lent.execute("select pg_terminate_backend(pg_backend_pid())").await.unwrap_err();
            lent.put_back_if_well().await;
        }
        timeout(ANSWER_MAX, connections.lend()).await.expect("there is a free place").unwrap();
    }

    #[tokio::test]
    async fn when_one_has_died_those_at_rest_are_not_trusted_either() {
        let connections = connections(2);
        let (mut one, mut two) = (connections.lend().await.unwrap(), connections.lend().await.unwrap());
        let processes = [process_of(&mut one).await, process_of(&mut two).await];
        two.put_back();
        // The server ends both.
        let mut other = PgConnection::connect(&djob_servers::postgres_url().unwrap()).await.unwrap();
        for process in processes {
            sqlx::query("select pg_terminate_backend($1, 5000)")
                .bind(process)
                .execute(&mut other)
                .await
                .unwrap();
        }
        one.execute("select 1").await.unwrap_err();
        one.put_back_if_well().await;
        let mut fresh = connections.lend().await.unwrap();
        assert!(!processes.contains(&process_of(&mut fresh).await));
    }

    /// As after a failover: what was the primary still answers.
    #[tokio::test]
    async fn when_one_meets_a_server_that_takes_no_writes_none_of_them_is_lent_again() {
        let connections = connections(3);
        let mut lent = [
            connections.lend().await.unwrap(),
            connections.lend().await.unwrap(),
            connections.lend().await.unwrap(),
        ];
        let mut processes = vec![];
        for conn in &mut lent {
            processes.push(process_of(conn).await);
        }
        let [rests, in_use, meets_it] = lent;
        rests.put_back();
        meets_it.put_back();
        let write = async |conn: &mut PgConnection| {
            conn.execute("set default_transaction_read_only = on").await?;
            conn.execute("create table nothing ()").await?;
            Ok(())
        };
        connections.call(ANSWER_MAX, "write", write).await.unwrap_err();
        in_use.put_back();
        for _ in 0..3 {
            let mut fresh = connections.lend().await.unwrap();
            assert!(!processes.contains(&process_of(&mut fresh).await));
        }
    }
}
