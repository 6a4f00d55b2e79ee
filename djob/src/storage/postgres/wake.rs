//! Hearing of other processes' jobs: LISTEN, on a connection of its own.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Acquire as _, Connection as _};
use tokio::time::timeout;

use crate::storage::StorageError;
use crate::storage::error::Problem;
use crate::storage::trust::Trust;

/// When to doubt a connection that says nothing.
#[derive(Clone, Copy)]
struct Doubt {
    /// For so long it may say nothing before it is asked.
    after: Duration,
    /// An answer may take so long, and so may connecting.
    answer_max: Duration,
}

const DOUBT: Doubt = Doubt { after: Duration::from_secs(10), answer_max: Duration::from_secs(5) };

/// Calls `woken` whenever somebody has notified the channel. Ends when the connection is lost; the caller begins anew.
pub(super) async fn listen(
    options: &PgConnectOptions,
    trust: &Trust,
    channel: String,
    woken: &(dyn Fn() + Send + Sync),
) -> Result<(), StorageError> {
    listen_in_doubt(options, trust, &channel, woken, DOUBT).await
}

async fn listen_in_doubt(
    options: &PgConnectOptions,
    trust: &Trust,
    channel: &str,
    woken: &(dyn Fn() + Send + Sync),
    doubt: Doubt,
) -> Result<(), StorageError> {
    let silent = |_| StorageError::new(Problem::Timeout("listen"));
    let made = trust.made();
    let mut listener = timeout(doubt.answer_max, begin(options, channel)).await.map_err(silent)??;
    // Once before the first wait: what was enqueued before LISTEN has told nobody.
    woken();
    loop {
        // What has come in half when the time is up stays in the connection's buffer.
        match timeout(doubt.after, listener.try_recv()).await {
            Ok(heard) => match heard? {
                Some(_) => woken(),
                None => return Ok(()),
            },
            // After a failover jobs are stored, and told of, elsewhere.
            Err(_) if !trust.holds(made) => return Ok(()),
            // Nobody has said anything, or the connection is half-open and nobody can: only an answer tells.
            Err(_) => {
                let answer = async { listener.acquire().await?.ping().await };
                timeout(doubt.answer_max, answer).await.map_err(silent)??;
            }
        }
    }
}

async fn begin(options: &PgConnectOptions, channel: &str) -> Result<PgListener, StorageError> {
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    // A connection that is lost is not replaced behind our back.
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::str::FromStr as _;
    use std::sync::atomic::{AtomicU32, Ordering};

    use sqlx::postgres::PgSslMode;
    use sqlx::{Connection as _, Executor as _};
    use tokio::net::{TcpListener, TcpStream, UnixStream};
    use tokio::sync::{Notify, watch};

    use super::*;

    fn server() -> PgConnectOptions {
        PgConnectOptions::from_str(&djob_servers::postgres_url().unwrap()).unwrap()
    }

    /// A wire to the server, on a port, over which nothing comes any more once `silent` says so. Nobody is told.
    async fn wire(silent: watch::Receiver<bool>) -> u16 {
        let socket: PathBuf = server().get_socket().unwrap().join(".s.PGSQL.5432");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.unwrap();
                tokio::spawn(carry(client, server, silent.clone()));
            }
        });
        port
    }

    async fn carry(mut client: TcpStream, mut server: UnixStream, mut silent: watch::Receiver<bool>) {
        let fell_silent = async { drop(silent.wait_for(|silent| *silent).await) };
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
            () = fell_silent => std::future::pending().await,
        }
    }

    #[tokio::test]
    async fn a_connection_that_fell_silent_is_noticed() {
        let (fall_silent, silent) = watch::channel(false);
        let silenced = silent.clone();
        let options = PgConnectOptions::new_without_pgpass().ssl_mode(PgSslMode::Disable);
        let options = options.host("127.0.0.1").port(wire(silent).await).username(server().get_username());
        let doubt = Doubt { after: Duration::from_millis(50), answer_max: Duration::from_secs(3) };
        let (listens, woken, trust) = (Notify::new(), AtomicU32::new(0), Trust::default());
        let ring = || {
            woken.fetch_add(1, Ordering::Relaxed);
            listens.notify_one();
        };
        let then = async {
            listens.notified().await;
            // Asked a few times, it answers, and that wakes nobody.
            tokio::time::sleep(doubt.after * 5).await;
            fall_silent.send_replace(true);
        };
        let listening = listen_in_doubt(&options, &trust, "fell_silent", &ring, doubt);
        let both = async { tokio::join!(listening, then).0 };
        let ended = timeout(Duration::from_secs(30), both).await.expect("nobody has noticed");
        assert!(*silenced.borrow(), "it answered until then");
        assert!(ended.unwrap_err().is_unreachable());
        assert_eq!(woken.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_is_told_while_the_connection_is_asked_is_heard() {
        let doubt = Doubt { after: Duration::from_micros(1), answer_max: Duration::from_secs(5) };
        let heard = Notify::new();
        let mut other = sqlx::PgConnection::connect_with(&server()).await.unwrap();
        let tell = async {
            heard.notified().await;
            for _ in 0..500 {
                other.execute("notify told_meanwhile").await.unwrap();
                timeout(Duration::from_secs(5), heard.notified()).await.expect("it was not heard");
            }
        };
        let (options, trust, ring) = (server(), Trust::default(), || heard.notify_one());
        tokio::select! {
            () = tell => {}
            ended = listen_in_doubt(&options, &trust, "told_meanwhile", &ring, doubt) => panic!("{ended:?}"),
        }
    }

    #[tokio::test]
    async fn it_ends_when_the_server_is_not_trusted_any_more() {
        let doubt = Doubt { after: Duration::from_millis(10), answer_max: Duration::from_secs(5) };
        let (options, trust) = (server(), Trust::default());
        let ring = || trust.lose(trust.made());
        let listening = listen_in_doubt(&options, &trust, "not_trusted", &ring, doubt);
        timeout(Duration::from_secs(10), listening).await.expect("it goes on").unwrap();
    }
}
