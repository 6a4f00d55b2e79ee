//! Time: the only place that asks the system for it.
//!
//! djob lets the *database* say what time it is, so that a host whose clock is wrong neither steals a lease nor runs
//! a job early. A [`Clock`] is the seam through which tests take that right away from the database and move time by
//! hand.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, TimeZone, Utc};

/// A moment, in microseconds since 1970 (UTC): what every database here can store without loss.
///
/// ```
/// use djob::Timestamp;
/// use std::time::{Duration, SystemTime};
///
/// let now = Timestamp::from(SystemTime::now());
/// assert_eq!((now + Duration::from_secs(60)) - now, Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp(0);
    /// Later than every other moment djob stores (in the year 9999, which all three databases can hold).
    pub const MAX: Timestamp = Timestamp(253_370_764_800_000_000);

    /// A moment from microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp(micros)
    }

    /// Microseconds since 1970.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The same moment as a `chrono` value.
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// What the host's own clock says.
    pub(crate) fn host() -> Self {
        SystemTime::now().into()
    }
}

/// `2026-11-24T09:30:00.000000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_datetime().format("%Y-%m-%dT%H:%M:%S%.6fZ"))
    }
}

/// A text that is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a date, a time and an offset, such as 2026-12-01T09:00:00+01:00 or 2026-12-01T08:00:00Z")]
pub struct InvalidTimestamp;

/// Reads what RFC 3339 allows.
impl std::str::FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        DateTime::parse_from_rfc3339(text).map(Timestamp::from).map_err(|_| InvalidTimestamp)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp(micros(since)),
            Err(before) => Timestamp(-micros(before.duration())),
        }
    }
}

impl<Tz: TimeZone> From<DateTime<Tz>> for Timestamp {
    fn from(time: DateTime<Tz>) -> Self {
        Timestamp(time.timestamp_micros())
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, by: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(micros(by)).min(Timestamp::MAX.0))
    }
}

/// How long after `earlier` this moment is; zero if it is not.
impl std::ops::Sub for Timestamp {
    type Output = Duration;
    fn sub(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A duration in whole microseconds, as the databases take it.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Who says what time it is: the database, or (in tests) a hand on the dial.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The database's own clock. On SQLite, which lives inside this process, that is the host's.
    pub fn database() -> Self {
        Clock(None)
    }

    /// A clock that stands still at `start` until it is moved.
    ///
    /// ```
    /// use djob::{Clock, Timestamp};
    /// use std::time::Duration;
    ///
    /// let clock = Clock::manual(Timestamp::EPOCH);
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(clock.read().unwrap().as_micros(), 1_000_000);
    /// ```
    pub fn manual(start: Timestamp) -> Self {
        Clock(Some(Arc::new(AtomicI64::new(start.0))))
    }

    /// Moves a manual clock forward; a database's clock takes no orders and stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Some(dial) = &self.0 {
            dial.fetch_add(micros(by), Ordering::SeqCst);
        }
    }

    /// Sets a manual clock, forward or back; a database's clock takes no orders and stays as it is.
    ///
    /// ```
    /// # use djob::{Clock, Timestamp};
    /// let clock = Clock::manual(Timestamp::from_micros(5));
    /// clock.set(Timestamp::EPOCH);
    /// assert_eq!(clock.read(), Some(Timestamp::EPOCH));
    /// ```
    pub fn set(&self, to: Timestamp) {
        if let Some(dial) = &self.0 {
            dial.store(to.0, Ordering::SeqCst);
        }
    }

    /// What a manual clock shows; `None` if the database is to be asked.
    pub fn read(&self) -> Option<Timestamp> {
        self.0.as_ref().map(|dial| Timestamp(dial.load(Ordering::SeqCst)))
    }

    /// What a manual clock shows, else the host's time.
    pub(crate) fn read_or_host(&self) -> Timestamp {
        self.read().unwrap_or_else(Timestamp::host)
    }
}
