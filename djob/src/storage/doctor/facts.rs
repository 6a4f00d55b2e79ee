//! What the doctor was told, as plain as it came.

use super::finding::{self, Judged};
use crate::storage::error::Problem;
use crate::storage::naming::Naming;
use crate::storage::statement::Dialect;
use crate::storage::statement::Statement::{self, *};
use crate::storage::{SchemaVersion, StorageError};

/// One row of an answer: what, about whom, how many, and for how many microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) figure: i64,
    pub(crate) age: i64,
}

impl Fact {
    pub(crate) fn new(name: &str, text: impl Into<String>) -> Self {
        Fact { name: name.to_owned(), text: text.into(), ..Fact::default() }
    }

    pub(crate) fn figure(self, figure: i64) -> Self {
        Fact { figure, ..self }
    }

    pub(crate) fn age(self, age: i64) -> Self {
        Fact { age, ..self }
    }
}

/// All that is known of one database.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(super) dialect: Dialect,
    pub(super) naming: Naming,
    /// An error: the role may not see it.
    pub(super) version: Result<SchemaVersion, StorageError>,
    /// The statements of the migrations that were applied, as far as this version knows them.
    pub(super) applied: String,
    told: Vec<Fact>,
    unanswered: Vec<(Statement, StorageError)>,
}

impl Facts {
    /// Nothing yet but the version of the tables, which must be there.
    pub(crate) fn new(
        dialect: Dialect,
        naming: &Naming,
        version: Result<SchemaVersion, StorageError>,
        migrations: &[(i64, &'static str, String)],
    ) -> Result<Self, StorageError> {
        let found = match version {
            Ok(SchemaVersion { found: 0, known, .. }) => {
                return Err(StorageError::new(Problem::Unmigrated { found: 0, known }));
            }
            Ok(version) => version.found,
            Err(error) if !error.is_denied() => return Err(error),
            // Then those are compared that this program knows.
            Err(_) => i64::MAX,
        };
        let applied = migrations.iter().filter(|(number, ..)| *number <= found);
        let applied = applied.map(|(.., text)| text.as_str()).collect::<Vec<_>>().join("\n");
        Ok(Facts { dialect, naming: naming.clone(), version, applied, told: vec![], unanswered: vec![] })
    }

    /// Takes in the answer to a question.
    pub(crate) fn take_in(&mut self, source: Statement, answer: Result<Vec<Fact>, StorageError>) {
        match answer {
            Ok(facts) => self.told.extend(facts),
            Err(error) => self.unanswered.push((source, error)),
        }
    }

    /// Takes in what no statement was needed for.
    pub(crate) fn note(&mut self, fact: Fact) {
        self.told.push(fact);
    }

    /// Every fact of this name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Fact> {
        self.told.iter().filter(move |fact| fact.name == name)
    }

    pub(super) fn one(&self, name: &str) -> Option<&Fact> {
        self.all(name).next()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.one(name).map(|fact| fact.text.as_str())
    }

    /// A number that came as text.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn is(&self, name: &str, text: &str) -> bool {
        self.text(name) == Some(text)
    }

    /// The role that asks, ready for a statement.
    pub(super) fn role(&self) -> &str {
        self.text("role").unwrap_or("the role of djob")
    }

    /// A table's name, ready for a statement.
    pub(super) fn table(&self, name: &str) -> String {
        self.naming.table(name)
    }

    /// What there is to say of a question that was not answered.
    pub(super) fn unanswered(&self, source: Statement) -> Option<Judged> {
        let (_, error) = self.unanswered.iter().find(|(other, _)| *other == source)?;
        Some(self.not_seen(error, self.rights(source)))
    }

    /// What there is to say of what could not be seen, but with these rights.
    pub(super) fn not_seen(&self, error: &StorageError, rights: Vec<String>) -> Judged {
        let grants = rights.into_iter().map(|right| format!("grant {right} to {}", self.role()));
        let grants = grants.collect::<Vec<_>>().join("; ");
        let helps = error.is_denied() && !grants.is_empty();
        finding::unknown(format!("could not be looked at: {error}"), helps.then_some(grants))
    }

    /// What a role must be granted to ask this.
    fn rights(&self, source: Statement) -> Vec<String> {
        let tables: &[&str] = match source {
            DOCTOR_WORKERS => &["workers"],
            DOCTOR_CLAIMS => &["claims", "workers"],
            DOCTOR_PARKED => &["parked"],
            LANES => &["jobs", "queues"],
            DOCTOR_SESSIONS if self.dialect == Dialect::MySql => return vec!["process on *.*".to_owned()],
            DOCTOR_SESSIONS | DOCTOR_PREPARED | DOCTOR_SLOTS => return vec!["pg_monitor".to_owned()],
            _ => &[],
        };
        tables.iter().map(|table| format!("select on {}", self.table(table))).collect()
    }
}
