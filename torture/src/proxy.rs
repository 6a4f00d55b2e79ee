//! A wire between a process and the database that can be cut, held, slowed down and reset. It listens on a port of its own
//! and leads to the server's socket.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// What the wire does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Passes,
    /// Every connection is closed, and no new one is accepted.
    Cut,
    /// Connections stay open, and nothing comes through: half-open, as when a firewall forgets them.
    Silent,
    /// Each piece takes this long.
    Slow(Duration),
}

/// A wire; it goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    wire: Arc<watch::Sender<Wire>>,
    listening: tokio::task::JoinHandle<()>,
}

/// What the wire does, and how often its connections have been reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wire {
    mode: Mode,
    resets: u64,
}

impl Proxy {
    pub(crate) async fn to(socket: &Path) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let wire = Arc::new(watch::Sender::new(Wire::default()));
        let listening = tokio::spawn(listen(listener, socket.to_owned(), wire.clone()));
        Ok(Proxy { port, wire, listening })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.wire.send_modify(|wire| wire.mode = mode);
    }

    /// Every connection ends with a RST, the next ones pass.
    pub(crate) fn reset(&self) {
        self.wire.send_modify(|wire| wire.resets += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.reset();
    }
}

async fn listen(listener: TcpListener, socket: PathBuf, wire: Arc<watch::Sender<Wire>>) {
    while let Ok((client, _)) = listener.accept().await {
        if wire.borrow().mode != Mode::Cut {
            tokio::spawn(join(client, socket.clone(), wire.subscribe()));
        }
    }
}

/// Carries what one connection says, until either side or the wire ends it.
async fn join(client: TcpStream, socket: PathBuf, mut wire: watch::Receiver<Wire>) {
    let Ok(server) = UnixStream::connect(&socket).await else { return };
    let resets = wire.borrow().resets;
    let _ = client.set_nodelay(true);
    let (up, down) = (wire.clone(), wire.clone());
    let (mut client_reads, mut client_writes) = tokio::io::split(client);
    let (mut server_reads, mut server_writes) = tokio::io::split(server);
    let ended = async {
        let ends = |wire: &Wire| wire.mode == Mode::Cut || wire.resets != resets;
        wire.wait_for(ends).await.map_or(Mode::Cut, |wire| wire.mode)
    };
    tokio::select! {
        _ = carry(&mut client_reads, &mut server_writes, up) => {}
        _ = carry(&mut server_reads, &mut client_writes, down) => {}
        mode = ended => if mode != Mode::Cut {
            drop(reset_on_close(client_reads.unsplit(client_writes)));
        }
    }
}

/// A socket that says RST instead of FIN when it is dropped.
fn reset_on_close(client: TcpStream) -> TcpStream {
    let _ = client.set_zero_linger();
    client
}

async fn carry(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut wire: watch::Receiver<Wire>,
) -> std::io::Result<()> {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            // The server was told of no end yet: an answer may still come.
            return to.shutdown().await;
        }
        let silent = |wire: &Wire| wire.mode == Mode::Silent;
        let _ = wire.wait_for(|wire| !silent(wire)).await;
        let mode = wire.borrow().mode;
        if let Mode::Slow(delay) = mode {
            tokio::time::sleep(delay).await;
        }
        to.write_all(&piece[..length]).await?;
    }
}
