//! Job ids: UUIDv7, made by the client.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::clock::Timestamp;

/// The id of a job: a UUIDv7 that the enqueuing process makes, so that ids of one process sort in enqueue order.
///
/// ```
/// use djob::JobId;
///
/// let (first, second) = (JobId::new(), JobId::new());
/// assert!(first < second);
/// assert_eq!(first.to_string().parse(), Ok(first));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct JobId(pub(crate) Uuid);

impl JobId {
    /// A fresh id, greater than all that this process made before.
    #[allow(clippy::new_without_default)] // a default that is different each time would surprise
    pub fn new() -> Self {
        JobId(Uuid::now_v7())
    }

    /// The first id that can be made at this moment: for pages of jobs that begin at a time.
    ///
    /// ```
    /// use djob::{JobId, Timestamp};
    ///
    /// let noon = Timestamp::from_micros(1_700_000_000_000_000);
    /// assert_eq!(JobId::first_at(noon).made_at(), noon);
    /// assert!(JobId::first_at(noon) < JobId::new());
    /// ```
    pub fn first_at(time: Timestamp) -> Self {
        let millis = u128::from((time.as_micros() / 1000).unsigned_abs()) & ((1 << 48) - 1);
        // The version and the variant of a UUIDv7, and nothing else.
        JobId(Uuid::from_u128(millis << 80 | 0x7 << 76 | 0x8 << 60))
    }

    /// When it was made, to the millisecond, by the clock of the machine that made it.
    pub fn made_at(&self) -> Timestamp {
        let millis = i64::try_from(self.0.as_u128() >> 80).unwrap_or(0);
        Timestamp::from_micros(millis * 1000)
    }

    /// The id as a UUID.
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl From<Uuid> for JobId {
    fn from(id: Uuid) -> Self {
        JobId(id)
    }
}

impl FromStr for JobId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(JobId)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
