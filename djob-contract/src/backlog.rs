//! What a program's code makes of the jobs that are stored: read and judged as a worker would, and never run.

use std::collections::BTreeMap;

use djob::{JobId, JobRow, Registry, Unreadable};

/// How many different faults of a kind are told apart.
const FAULTS_MAX: usize = 20;

/// The stored jobs that were looked at, by kind and version.
#[derive(Clone, Debug, Default)]
pub struct Backlog {
    kinds: BTreeMap<(String, u16), Reading>,
}

/// What was made of one version of a kind.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct Reading {
    /// The kind, as the jobs have it.
    pub kind: String,
    /// The version of their arguments.
    pub version: u16,
    /// How many were looked at.
    pub jobs: u64,
    /// How many of them this code can run.
    pub readable: u64,
    /// What is wrong with the others.
    pub faults: Vec<Unread>,
}

/// One thing that is wrong with stored jobs.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct Unread {
    /// For which they would be parked: `unknown_kind`, `newer_version` or `broken_contract`.
    pub reason: &'static str,
    /// Places and rules, never a value.
    pub detail: String,
    /// How many.
    pub jobs: u64,
    /// One of them.
    pub example: JobId,
}

impl Backlog {
    /// Looks at one job.
    pub fn look(&mut self, registry: &Registry, row: &JobRow) {
        let fault = match registry.get(&row.kind).map(|def| def.read(row.meta.version, &row.args)) {
            Some(Ok(())) => None,
            None => Some(("unknown_kind", "no function of this kind is linked into this program".to_owned())),
            Some(Err(newer @ Unreadable::Newer { .. })) => Some(("newer_version", newer.to_string())),
            Some(Err(error)) => Some(("broken_contract", error.to_string())),
        };
        let version = row.meta.version;
        let empty = || Reading { kind: row.kind.clone(), version, jobs: 0, readable: 0, faults: vec![] };
        let reading = self.kinds.entry((row.kind.clone(), version)).or_insert_with(empty);
        reading.jobs += 1;
        match fault {
            None => reading.readable += 1,
            Some((reason, detail)) => reading.note(reason, detail, row.id),
        }
    }

    /// What was seen, by kind and version.
    pub fn readings(&self) -> impl Iterator<Item = &Reading> {
        self.kinds.values()
    }

    /// How many jobs this code could not run.
    pub fn unreadable(&self) -> u64 {
        self.readings().map(|reading| reading.jobs - reading.readable).sum()
    }
}

impl Reading {
    fn note(&mut self, reason: &'static str, detail: String, id: JobId) {
        let is_full = self.faults.len() >= FAULTS_MAX;
        let detail = if is_full && self.faults.iter().all(|known| known.detail != detail) {
            "others".to_owned()
        } else {
            detail
        };
        match self.faults.iter_mut().find(|known| known.detail == detail) {
            Some(known) => known.jobs += 1,
            None => self.faults.push(Unread { reason, detail, jobs: 1, example: id }),
        }
    }
}
