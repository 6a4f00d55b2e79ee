//! A place for a worker process, with its wire to the database. When a process dies, the next one takes its place.

use std::path::Path;
use std::time::{Duration, Instant};

use djob::BoxError;

use crate::database::Site;
use crate::process::{Process, faketime};
use crate::proxy::Proxy;

/// A supervisor does not start the next one at once.
const PAUSE: Duration = Duration::from_millis(200);
/// The drain and the grace that workers were given, and a margin for a slow machine.
const ENDS_WITHIN: Duration = Duration::from_secs(40);

pub(super) struct Place {
    url: String,
    wire: Option<Proxy>,
    process: Option<Process>,
    old: bool,
    empty_since: Instant,
}

/// How a process is started.
pub(super) struct Start<'a> {
    pub(super) name: String,
    pub(super) old: bool,
    pub(super) skew: i64,
    pub(super) folder: &'a Path,
    pub(super) concurrency: u32,
    pub(super) lease: u64,
}

impl Place {
    pub(super) async fn new(site: &Site) -> Result<Self, BoxError> {
        let wire = match site.socket() {
            Some(socket) => Some(Proxy::to(socket).await?),
            None => None,
        };
        let url = wire.as_ref().map_or_else(|| site.url().to_owned(), |wire| site.url_through(wire.port()));
        let empty_since = Instant::now().checked_sub(PAUSE).unwrap_or_else(Instant::now);
        Ok(Place { url, wire, process: None, old: false, empty_since })
    }

    pub(super) fn wire(&self) -> Option<&Proxy> {
        self.wire.as_ref()
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn name(&self) -> Option<String> {
        self.process.as_ref().map(|process| process.name.clone())
    }

    pub(super) fn is_old(&self) -> bool {
        self.old
    }

    /// Whether a process had a good end, if one ended that nobody killed from here.
    pub(super) fn ended(&mut self) -> Option<bool> {
        self.process.as_mut()?.ended()
    }

    pub(super) fn clear(&mut self) {
        (self.process, self.empty_since) = (None, Instant::now());
    }

    pub(super) fn wants_a_process(&self) -> bool {
        self.process.is_none() && self.empty_since.elapsed() >= PAUSE
    }

    pub(super) fn start(&mut self, start: Start<'_>) -> Result<(), BoxError> {
        let library = faketime().filter(|_| start.skew != 0);
        let skew = if library.is_some() { start.skew } else { 0 };
        let mut args = vec![
            ("url", self.url.clone()),
            ("name", start.name.clone()),
            ("concurrency", start.concurrency.to_string()),
            ("lease", start.lease.to_string()),
            ("skew", skew.to_string()),
        ];
        args.push(("old", start.old.to_string()));
        let skew = library.as_deref().map(|library| (library, skew));
        self.process = Some(Process::start(&start.name, "work", start.folder, &args, skew)?);
        self.old = start.old;
        Ok(())
    }

    /// Sends a signal; returns to whom.
    pub(super) fn signal(&self, signal: &str) -> Option<String> {
        let process = self.process.as_ref()?;
        process.signal(signal);
        Some(process.name.clone())
    }

    /// Lets a stopped process go on, if it is still there.
    pub(super) fn go_on(&self, name: &str) {
        if let Some(process) = self.process.as_ref().filter(|process| process.name == name) {
            process.signal("CONT");
        }
    }

    /// Kills the process; returns which one it was.
    pub(super) fn kill(&mut self) -> Option<String> {
        let mut process = self.process.take()?;
        process.kill();
        self.empty_since = Instant::now();
        Some(process.name.clone())
    }

    /// Ends the process as an administrator would; returns what did not go well.
    pub(super) async fn end(&mut self) -> Option<String> {
        let mut process = self.process.take()?;
        process.signal("TERM");
        let well = process.ends_well(ENDS_WITHIN).await;
        (!well).then(|| format!("{} did not end well within {ENDS_WITHIN:?} after SIGTERM", process.name))
    }
}
