//! `kinds`: which jobs there are, and what they ask for.

use djob::{Client, Contract, Registry};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::{KindsCommand, Published};
use crate::connect::Database;
use crate::exit::{Exit, Failure};
use crate::output::{Output, table};

#[derive(Serialize)]
struct Kinds {
    kinds: Vec<KindView>,
}

#[derive(Serialize)]
struct KindView {
    kind: String,
    version: u16,
    queue: String,
    priority: i16,
    delay_seconds: f64,
    max_attempts: u16,
    computed: Vec<String>,
    hash: String,
    args_schema: Box<RawValue>,
}

pub(crate) async fn run(database: Database, output: Output, command: KindsCommand) -> Result<(), Failure> {
    match command {
        KindsCommand::List(published) => list(contracts(database, &published).await?, output),
        KindsCommand::Schema { kind, version, published } => {
            schema(contracts(database, &published).await?, output, &kind, version)
        }
    }
}

/// Those of this program's jobs, or those that workers have published.
async fn contracts(database: Database, published: &Published) -> Result<Vec<Contract>, Failure> {
    let linked = Registry::linked().map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let linked: Vec<Contract> = linked.kinds().map(Contract::of).collect();
    if !published.published && !linked.is_empty() {
        return Ok(linked);
    }
    let client: Client = database.connect().await?;
    Ok(client.contracts().await?)
}

fn list(contracts: Vec<Contract>, output: Output) -> Result<(), Failure> {
    if contracts.is_empty() {
        output
            .note("No kinds are known: no job is linked into this program, and no worker has published any.");
    }
    let rows: Vec<_> = contracts.iter().map(row).collect();
    let kinds = contracts.into_iter().map(view).collect::<Result<Vec<_>, _>>()?;
    output.print(Kinds { kinds }, || match rows.is_empty() {
        true => String::new(),
        false => table(&["kind", ">version", "queue", ">priority", ">attempts", "computed"], rows),
    })
}

fn row(contract: &Contract) -> Vec<String> {
    let or_computed = |option: &str, value: String| match contract.computed.iter().any(|name| name == option)
    {
        true => "(computed)".to_owned(),
        false => value,
    };
    vec![
        contract.kind.clone(),
        contract.version.to_string(),
        or_computed("queue", contract.queue.clone()),
        or_computed("priority", contract.priority.to_string()),
        contract.max_attempts.to_string(),
        contract.computed.join(", "),
    ]
}

fn view(contract: Contract) -> Result<KindView, Failure> {
    let hash = contract.hash();
    let broken =
        |error| Failure::new(Exit::Failed, format!("the schema of {} is no JSON: {error}", contract.kind));
    let args_schema = RawValue::from_string(contract.schema).map_err(broken)?;
    Ok(KindView {
        kind: contract.kind,
        version: contract.version,
        queue: contract.queue,
        priority: contract.priority,
        delay_seconds: contract.delay as f64 / 1e6,
        max_attempts: contract.max_attempts,
        computed: contract.computed,
        hash,
        args_schema,
    })
}

/// Prints the schema as it is, also for people: it is meant for other programs.
fn schema(contracts: Vec<Contract>, output: Output, kind: &str, version: Option<u16>) -> Result<(), Failure> {
    let of_kind = contracts.into_iter().filter(|contract| contract.kind == kind);
    let found = of_kind
        .filter(|contract| version.is_none_or(|version| version == contract.version))
        .max_by_key(|contract| contract.version);
    let Some(contract) = found else {
        let which = version.map(|version| format!(", version {version}")).unwrap_or_default();
        let why = format!("there is no kind {kind:?}{which}: see `kinds list`, and `kinds list --published`");
        return Err(Failure::new(Exit::NotFound, why));
    };
    let schema: serde_json::Value = serde_json::from_str(&contract.schema)
        .map_err(|error| Failure::new(Exit::Failed, format!("the schema of {kind} is no JSON: {error}")))?;
    output.raw(&(serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"))
}
