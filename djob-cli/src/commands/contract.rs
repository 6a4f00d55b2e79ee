//! `contract`: what a change of the jobs breaks, before it is deployed.

mod check;
mod lock;
mod probe;

use std::path::Path;

use djob::Registry;
use djob_contract::Lock;

use crate::args::ContractCommand;
use crate::connect::Database;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) async fn run(database: Database, output: Output, command: ContractCommand) -> Result<(), Failure> {
    match command {
        ContractCommand::Lock(args) => lock::run(output, &args),
        ContractCommand::Check(args) => check::run(output, &args),
        ContractCommand::Probe(args) => probe::run(database, output, &args).await,
    }
}

/// The jobs of this program, of which there must be some.
fn linked() -> Result<Registry, Failure> {
    let registry = Registry::linked().map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    if registry.kinds().next().is_none() {
        let why = "no job is linked into this program: use your own, `djob_cli::App::new().run()`, and name the crate of \
                   its jobs, `use my_jobs as _;`";
        return Err(Failure::new(Exit::Usage, why));
    }
    Ok(registry)
}

/// Reads a lock file; `None` if there is none.
fn read(path: &Path) -> Result<Option<Lock>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let lock = Lock::read(&text);
            lock.map(Some).map_err(|error| Failure::new(Exit::Usage, format!("{} {error}", path.display())))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(Exit::Usage, format!("{} cannot be read: {error}", path.display()))),
    }
}
