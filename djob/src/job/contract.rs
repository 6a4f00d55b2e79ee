//! What a kind of job promises to those who enqueue it without having its code. Workers publish it.

use sha2::{Digest, Sha256};

use super::JobDef;
use crate::clock::micros;

/// The contract of one version of a kind of job, as workers publish it in `djob_kinds`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Contract {
    /// The kind.
    pub kind: String,
    /// The version of its arguments.
    pub version: u16,
    /// The JSON Schema of its arguments.
    pub schema: String,
    /// Its queue, unless it is [`computed`](Contract::computed) or a job says otherwise.
    pub queue: String,
    /// Its priority, likewise.
    pub priority: i16,
    /// How long a job waits before it may run, in microseconds, likewise.
    pub delay: i64,
    /// How many attempts it has.
    pub max_attempts: u16,
    /// The options that its code computes from the arguments: `queue`, `priority`, `delay`, `unique`. Who does not have the
    /// code must name them.
    pub computed: Vec<String>,
}

impl Contract {
    /// The contract of a kind whose code is at hand.
    ///
    /// ```
    /// #[djob::job(queue = "mail", unique = |job| job.to.clone())]
    /// async fn send(#[validate(email)] to: &str) {}
    ///
    /// # fn main() {
    /// let contract = djob::Contract::of(send.def());
    /// assert_eq!((contract.kind.as_str(), contract.version, contract.queue.as_str()), ("send", 1, "mail"));
    /// assert!(contract.schema.contains(r#""format":"email""#));
    /// assert_eq!(contract.computed, ["unique"]);
    /// # }
    /// ```
    pub fn of(def: &JobDef) -> Self {
        Contract {
            kind: def.kind.to_owned(),
            version: def.version,
            schema: (def.schema)().to_value().to_string(),
            queue: def.queue.to_owned(),
            priority: def.priority,
            delay: micros(def.delay),
            max_attempts: def.max_attempts(),
            computed: def.computed.iter().map(|option| (*option).to_owned()).collect(),
        }
    }

    /// Stands for all of it: two contracts with the same hash are the same, 64 characters of `0-9 a-f`.
    pub fn hash(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
