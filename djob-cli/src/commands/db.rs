//! `db`: the tables.

use std::cmp::Ordering;

use djob::storage::SchemaVersion;
use serde::Serialize;

use crate::args::{DbCommand, Dialect};
use crate::connect::Database;
use crate::exit::Failure;
use crate::output::Output;

#[derive(Serialize)]
struct Status {
    found: i64,
    known: i64,
    oldest: i64,
    status: &'static str,
}

#[derive(Serialize)]
struct Script<'a> {
    migrations: Vec<Migration<'a>>,
}

#[derive(Serialize)]
struct Migration<'a> {
    version: i64,
    name: &'a str,
    sql: &'a str,
}

pub(crate) async fn run(database: Database, output: Output, command: DbCommand) -> Result<(), Failure> {
    match command {
        DbCommand::Migrate => migrate(database, output).await,
        DbCommand::Status => status(database, output).await,
        DbCommand::Sql { database: dialect } => sql(database, output, dialect).await,
    }
}

async fn migrate(database: Database, output: Output) -> Result<(), Failure> {
    let client = database.connect_or_create().await?;
    let before = client.schema_version().await?.found;
    let now = client.migrate().await?;
    output.print(view(now), || match before == now.found {
        true if before > now.known => {
            format!("djob's tables are newer than this program (version {before})\n")
        }
        true => format!("djob's tables are up to date (version {before})\n"),
        false => format!("migrated djob's tables from version {before} to {}\n", now.found),
    })
}

async fn status(database: Database, output: Output) -> Result<(), Failure> {
    let client = database.connect_any().await?;
    let version = client.schema_version().await?;
    let SchemaVersion { found, known, oldest } = version;
    output.print(view(version), || match found.cmp(&known) {
        Ordering::Less => format!("djob's tables have version {found}, this program needs {known}\n"),
        Ordering::Equal => format!("djob's tables are up to date (version {found})\n"),
        Ordering::Greater => format!(
            "djob's tables have version {found}, for programs that know {oldest} or later; this one knows {known}\n"
        ),
    })?;
    Ok(version.check()?)
}

fn view(SchemaVersion { found, known, oldest }: SchemaVersion) -> Status {
    let status = match found.cmp(&known) {
        Ordering::Less => "pending",
        Ordering::Equal => "current",
        Ordering::Greater => "newer",
    };
    Status { found, known, oldest, status }
}

async fn sql(database: Database, output: Output, dialect: Option<Dialect>) -> Result<(), Failure> {
    let migrations = database.offline(dialect).await?.migrations();
    let views = migrations.iter().map(|(version, name, sql)| Migration { version: *version, name, sql });
    output.print(Script { migrations: views.collect() }, || {
        let text = |(version, name, sql): &(i64, &str, String)| {
            format!("-- {version:04} {name}\n{}\n", for_clients(sql.trim()))
        };
        migrations.iter().map(text).collect::<Vec<_>>().join("\n")
    })
}

/// MySQL's client programs would end a procedure at its first semicolon.
fn for_clients(sql: &str) -> String {
    if !sql.contains("create procedure") {
        return sql.to_owned();
    }
    let sql = format!("{sql}\n").replace("\ncreate procedure", "\ndelimiter //\ncreate procedure");
    sql.replace("\nend;\n", "\nend//\ndelimiter ;\n").trim_end().to_owned()
}
