//! The registry: kind -> function. Gathered from every `#[job]` that is linked in.

use std::collections::BTreeMap;

use crate::job::{Contract, JobDef};
use crate::state::State;
use crate::storage::Known;

/// An entry that `#[job]` submits.
#[derive(Debug)]
pub struct Registered(pub &'static JobDef);

inventory::collect!(Registered);

/// The kinds a worker knows, by name and by former names.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    by_name: BTreeMap<&'static str, &'static JobDef>,
}

/// Two jobs share a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "job kind \"{name}\" is defined twice, at {first} and at {second}: stored jobs could not tell them apart; \
     give one of them another name with `#[job(name = \"..\")]`"
)]
pub struct DuplicateKind {
    name: &'static str,
    first: String,
    second: String,
}

/// A job that can run on this worker borrows a state that the worker does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("job \"{kind}\" ({place}) needs the state `{state}`: give it to the worker with `.state(..)`")]
pub struct MissingState {
    kind: &'static str,
    place: String,
    state: &'static str,
}

impl Registry {
    /// Every job that is linked into this program.
    ///
    /// # Errors
    /// If two of them share a name.
    ///
    /// ```
    /// #[djob::job]
    /// async fn knock(times: u8) {}
    ///
    /// let registry = djob::Registry::linked()?;
    /// assert!(registry.kinds().any(|def| def.kind == "knock"));
    /// # Ok::<(), djob::DuplicateKind>(())
    /// ```
    pub fn linked() -> Result<Self, DuplicateKind> {
        Registry::of(inventory::iter::<Registered>.into_iter().map(|entry| entry.0))
    }

    /// These jobs and no others.
    ///
    /// # Errors
    /// If two of them share a name.
    pub fn of(defs: impl IntoIterator<Item = &'static JobDef>) -> Result<Self, DuplicateKind> {
        let mut registry = Registry::default();
        defs.into_iter().try_for_each(|def| registry.add(def))?;
        Ok(registry)
    }

    /// Adds one more job; the same one twice is one.
    ///
    /// # Errors
    /// If another job has its name.
    pub fn add(&mut self, def: &'static JobDef) -> Result<(), DuplicateKind> {
        for name in std::iter::once(&def.kind).chain(def.aliases) {
            match self.by_name.insert(name, def) {
                Some(other) if place(other) != place(def) => {
                    return Err(DuplicateKind { name, first: place(other), second: place(def) });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The job of this name, or of this former name.
    pub fn get(&self, kind: &str) -> Option<&'static JobDef> {
        self.by_name.get(kind).copied()
    }

    /// Every job once, sorted by kind.
    pub fn kinds(&self) -> impl Iterator<Item = &'static JobDef> {
        self.by_name.iter().filter(|(name, def)| **name == def.kind).map(|(_, def)| *def)
    }

    /// Every name under which a job of these may be stored.
    pub(crate) fn names(&self) -> Vec<String> {
        self.by_name.keys().map(|name| (*name).to_owned()).collect()
    }

    /// The same, with the version up to which its arguments are read.
    pub(crate) fn known(&self) -> Vec<Known> {
        let known = |(name, def): (&&'static str, &&'static JobDef)| Known {
            kind: (*name).to_owned(),
            version: def.version,
        };
        self.by_name.iter().map(known).collect()
    }

    /// What each kind promises, under its name and its former names: callers may still use those.
    pub(crate) fn contracts(&self) -> Vec<Contract> {
        let named = |(name, def): (&&'static str, &&'static JobDef)| Contract {
            kind: (*name).to_owned(),
            ..Contract::of(def)
        };
        self.by_name.iter().map(named).collect()
    }

    /// Says which state is missing for the jobs whose queue is served.
    pub(crate) fn check_state(
        &self,
        state: &State,
        served: impl Fn(&str) -> bool,
    ) -> Result<(), MissingState> {
        for def in self.kinds().filter(|def| served(def.queue)) {
            if let Some(need) = def.needs.iter().find(|need| !(need.held)(state)) {
                return Err(MissingState { kind: def.kind, place: place(def), state: need.name });
            }
        }
        Ok(())
    }
}

fn place(def: &JobDef) -> String {
    format!("{}:{}", def.file, def.line)
}
