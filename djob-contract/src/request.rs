//! A job as somebody asks for it who does not have its code: judged by the contract that a worker has published.

use std::collections::BTreeMap;
use std::time::Duration;

use djob::{ArgsError, BoxError, Client, Contract, Due, JobId, Meta, NewJob, StorageError};
use serde_json::Value;

use crate::judge::Judge;

/// A job that is asked for: its kind, its arguments as JSON, and what the kind's own options are to be replaced with.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The kind of the job.
    pub kind: String,
    /// Waits in this queue.
    pub queue: Option<String>,
    /// Lower runs first.
    pub priority: Option<i16>,
    /// When it may run.
    pub due: Option<Due>,
    /// How often it is tried again.
    pub retries: Option<u16>,
    /// Labels.
    pub tags: Vec<String>,
    /// The key of which only one job of the kind may be unfinished.
    pub unique: Option<String>,
    /// Its id, if the caller chooses it: the same request made twice is one job then.
    pub id: Option<JobId>,
}

impl Request {
    /// A job of this kind, with the kind's own options.
    pub fn new(kind: impl Into<String>) -> Self {
        Request { kind: kind.into(), ..Request::default() }
    }
}

/// Why a request was refused. Nothing was stored.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// No worker has published such a kind.
    UnknownKind {
        /// The kind.
        kind: String,
        /// The published kind that is most like it.
        nearest: Option<String>,
    },
    /// The arguments are not what the kind asks for.
    Args {
        /// The kind.
        kind: String,
        /// Every broken rule, with its place.
        error: ArgsError,
    },
    /// The kind's code computes an option from the arguments, and the request does not say it.
    Computed {
        /// The kind.
        kind: String,
        /// The option.
        option: String,
    },
    /// The schema that was published cannot be used.
    Schema {
        /// The kind.
        kind: String,
        /// What is wrong with it.
        error: BoxError,
    },
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::UnknownKind { kind, nearest } => {
                write!(f, "no worker has published a job of the kind {kind:?}")?;
                match nearest {
                    Some(nearest) => write!(f, ": did you mean {nearest:?}?"),
                    None => f.write_str(": start one whose code has it, once, and it is known"),
                }
            }
            Refusal::Args { kind, error } => write!(f, "job \"{kind}\" was refused: {error}"),
            Refusal::Computed { kind, option } => write!(
                f,
                "job \"{kind}\" was refused: its code computes the option `{option}` from the arguments, which nobody else \
                 can: name it"
            ),
            Refusal::Schema { kind, error } => write!(f, "job \"{kind}\" was refused: {error}"),
        }
    }
}

impl std::error::Error for Refusal {}

/// The published contracts, each with its judge.
///
/// ```
/// use djob_contract::{Office, Request};
///
/// #[djob::job]
/// async fn add(a: u8, b: u8) {}
///
/// let office = Office::new([djob::Contract::of(add.def())]);
/// let job = office.judge(Request::new("add"), r#"{"a":1,"b":2}"#)?;
/// assert_eq!(job.args, r#"{"a":1,"b":2}"#);
/// let refused = office.judge(Request::new("add"), r#"{"a":256}"#).unwrap_err();
/// assert_eq!(refused.to_string(), "job \"add\" was refused: /a: must be at most 255; /b: is missing");
/// # Ok::<(), djob_contract::Refusal>(())
/// ```
#[derive(Debug, Default)]
pub struct Office {
    kinds: BTreeMap<String, Desk>,
}

/// One kind's newest contract.
#[derive(Debug)]
struct Desk {
    contract: Contract,
    judge: Result<Judge, String>,
}

impl Office {
    /// Judges by these contracts: of each kind by that of its newest version.
    pub fn new(contracts: impl IntoIterator<Item = Contract>) -> Self {
        let mut newest: BTreeMap<String, Contract> = BTreeMap::new();
        for contract in contracts {
            let known = newest.get(&contract.kind).map_or(0, |known| known.version);
            if contract.version > known {
                newest.insert(contract.kind.clone(), contract);
            }
        }
        let kinds = newest.into_iter().map(|(kind, contract)| (kind, Desk::new(contract))).collect();
        Office { kinds }
    }

    /// Judges by what workers have published.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn of(client: &Client) -> Result<Self, StorageError> {
        Ok(Office::new(client.contracts().await?))
    }

    /// The job that was asked for, ready to be stored with [`Client::enqueue_new`].
    ///
    /// # Errors
    /// If the kind is unknown, the arguments are not what it asks for, or an option is missing that only its code can compute.
    pub fn judge(&self, request: Request, args: &str) -> Result<NewJob, Refusal> {
        self.desk(&request.kind)?.judge(request, args)
    }

    /// Judges arguments alone, for a job that has its options already; returns the version they are of.
    ///
    /// # Errors
    /// If the kind is unknown, or the arguments are not what it asks for.
    pub fn judge_args(&self, kind: &str, args: &str) -> Result<u16, Refusal> {
        let desk = self.desk(kind)?;
        desk.judge_args(args).map(|()| desk.contract.version)
    }

    fn desk(&self, kind: &str) -> Result<&Desk, Refusal> {
        let unknown = || Refusal::UnknownKind { kind: kind.to_owned(), nearest: self.nearest(kind) };
        self.kinds.get(kind).ok_or_else(unknown)
    }

    fn nearest(&self, kind: &str) -> Option<String> {
        let close = |known: &&String| strsim::levenshtein(kind, known) <= 1 + kind.len() / 4;
        self.kinds.keys().filter(close).min_by_key(|known| strsim::levenshtein(kind, known)).cloned()
    }
}

impl Desk {
    fn new(contract: Contract) -> Self {
        let schema = serde_json::from_str::<Value>(&contract.schema).map_err(|error| error.to_string());
        let judge = schema.and_then(|schema| Judge::new(&schema).map_err(|error| error.to_string()));
        Desk { contract, judge }
    }

    fn judge_args(&self, args: &str) -> Result<(), Refusal> {
        let kind = || self.contract.kind.clone();
        let unusable = |error: &String| Refusal::Schema { kind: kind(), error: error.as_str().into() };
        let judge = self.judge.as_ref().map_err(unusable)?;
        judge.check(args).map_err(|error| Refusal::Args { kind: kind(), error })
    }

    fn judge(&self, request: Request, args: &str) -> Result<NewJob, Refusal> {
        self.judge_args(args)?;
        let contract = &self.contract;
        let kind = || contract.kind.clone();
        let told = |option: &str| match option {
            "queue" => request.queue.is_some(),
            "priority" => request.priority.is_some(),
            "delay" => request.due.is_some(),
            _ => request.unique.is_some(),
        };
        if let Some(option) = contract.computed.iter().find(|option| !told(option)) {
            return Err(Refusal::Computed { kind: kind(), option: option.clone() });
        }
        let delay = Duration::from_micros(contract.delay.unsigned_abs());
        let mut meta = Meta::default();
        meta.version = contract.version;
        meta.tags = request.tags;
        meta.unique_key = request.unique.map(|key| format!("{}:{key}", contract.kind));
        Ok(NewJob {
            id_given: request.id.is_some(),
            id: request.id.unwrap_or_else(JobId::new),
            kind: kind().into(),
            queue: request.queue.unwrap_or_else(|| contract.queue.clone()).into(),
            priority: request.priority.unwrap_or(contract.priority),
            due: request.due.unwrap_or(Due::In(delay)),
            max_attempts: request.retries.map_or(contract.max_attempts, |retries| retries.saturating_add(1)),
            args: args.trim().to_owned(),
            meta,
        })
    }
}
