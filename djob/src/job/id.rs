//! Job ids: UUIDv7, made by the client.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

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
