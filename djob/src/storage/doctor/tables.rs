//! djob's own tables: whether they have the shape that the migrations gave them.

use std::cmp::Ordering;

use super::finding::{Judged, danger, ok, unknown};
use super::shape::Shape;
use super::words::listed;
use super::{Check, Facts};
use crate::storage::SchemaVersion;
use crate::storage::statement::Dialect;
use crate::storage::statement::Statement::DOCTOR_TABLES;

pub(super) const CHECKS: &[Check] = &[
    Check { name: "schema", needs: &[], judge: schema },
    Check { name: "tables", needs: &[DOCTOR_TABLES], judge: tables },
    Check { name: "indexes", needs: &[DOCTOR_TABLES], judge: indexes },
];

fn schema(facts: &Facts) -> Option<Judged> {
    let SchemaVersion { found, known, oldest } = match &facts.version {
        Ok(version) => *version,
        Err(error) => {
            let tables = [facts.naming.migrations_table(), facts.naming.table("schema")];
            return Some(facts.not_seen(error, tables.map(|table| format!("select on {table}")).into()));
        }
    };
    Some(match found.cmp(&known) {
        Ordering::Equal => ok(format!("version {found}")),
        Ordering::Less => danger(
            format!("version {found}, and this program needs {known}"),
            "No worker of this program starts on these tables.",
            "djob db migrate",
        ),
        Ordering::Greater if oldest <= known => {
            ok(format!("version {found}, on which this program, which knows {known}, may work"))
        }
        Ordering::Greater => danger(
            format!(
                "version {found}, on which a program must know {oldest}, and this one knows only {known}"
            ),
            "No worker of this program starts on these tables.",
            "deploy a newer version of this program",
        ),
    })
}

/// The tables, or functions, that are not in the catalogue. MySQL's shows a role only those that it has a right to.
pub(crate) fn unseen(facts: &Facts, what: &'static str) -> Vec<String> {
    let Shape { tables, functions, .. } = Shape::of(&facts.applied);
    let mut names = if what == "table" { tables } else { functions };
    names.retain(|name| !facts.all(what).any(|fact| fact.text == *name));
    names
}

fn tables(facts: &Facts) -> Option<Judged> {
    let shape = Shape::of(&facts.applied);
    let is_there = |name: &str, what: &str| facts.all(name).any(|fact| fact.text == what);
    let (mut hidden, gone): (Vec<_>, Vec<_>) =
        unseen(facts, "table").into_iter().partition(|table| is_there("hidden table", table));
    let (functions, gone_functions): (Vec<_>, Vec<_>) =
        unseen(facts, "function").into_iter().partition(|function| is_there("hidden function", function));
    let is_seen = |table: &str| is_there("table", table);
    let (mut missing, mut fixes) = (Vec::new(), Vec::new());
    for thing in gone.iter().chain(&gone_functions) {
        missing.push(thing.clone());
        fixes.push(format!("run what `djob db sql` prints for {thing}, or restore it from a backup"));
    }
    for (column, definition) in shape.columns.iter().filter(|(name, _)| !is_there("column", name)) {
        let table = column.split('.').next().unwrap_or_default();
        if is_seen(table) {
            missing.push(column.clone());
            fixes.push(format!("alter table {} add column {definition}", within(facts, table)));
        }
    }
    for (table, columns) in &shape.keys {
        if is_seen(table) && !is_there("key of", table) {
            missing.push(format!("the primary key of {table}"));
            fixes.push(format!("alter table {} add primary key ({columns})", within(facts, table)));
        }
    }
    let select = hidden.iter().map(|table| format!("grant select on {table} to {}", facts.role()));
    let execute =
        functions.iter().map(|name| format!("grant execute on procedure {name} to {}", facts.role()));
    let grants: Vec<String> = select.chain(execute).collect();
    hidden.extend(functions);
    Some(match (missing.as_slice(), hidden.as_slice()) {
        ([], []) => ok(format!("all {} are as the migrations made them", shape.tables.len())),
        ([], hidden) => {
            let fix = grants.join("; ");
            unknown(format!("could not be looked at: {}", listed(hidden)), Some(fix))
        }
        (missing, _) => danger(
            format!("missing: {}", listed(missing)),
            "Calls that need what is missing fail, or let through what must be refused.",
            fixes.join("; "),
        ),
    })
}

fn indexes(facts: &Facts) -> Option<Judged> {
    let shape = Shape::of(&facts.applied);
    let is_there = |name: &str, what: &str| facts.all(name).any(|fact| fact.text == what);
    let (mut wrong, mut fixes) = (Vec::new(), Vec::new());
    for (index, table, statement) in &shape.indexes {
        if is_there("invalid index", index) {
            wrong.push(format!("invalid: {index}"));
            fixes.push(format!("reindex index concurrently {}", within(facts, index)));
        } else if !is_there("index", index) && is_there("table", table) {
            wrong.push(format!("missing: {index}"));
            fixes.push(made_anew(facts, table, statement));
        }
    }
    Some(match wrong.as_slice() {
        [] => ok(format!("all {} are there", shape.indexes.len())),
        wrong => danger(
            listed(wrong),
            "Each claim, prune or look reads whole tables instead; once they are large, calls run into their time limit.",
            fixes.join("; "),
        ),
    })
}

/// The statement that makes an index, in a way that does not stop the workers.
fn made_anew(facts: &Facts, table: &str, statement: &str) -> String {
    let statement = statement.replacen(&format!(" {table} "), &format!(" {} ", within(facts, table)), 1);
    // A partitioned table knows no such way.
    let partitioned = facts.applied.contains(&format!("partition of {table} "));
    match facts.dialect {
        Dialect::Postgres if !partitioned => {
            statement.replacen("create index", "create index concurrently", 1)
        }
        _ => statement,
    }
}

/// A table or an index in the schema that djob was given.
pub(super) fn within(facts: &Facts, name: &str) -> String {
    match facts.naming.schema() {
        Some(schema) => format!("{schema}.{name}"),
        None => name.to_owned(),
    }
}
