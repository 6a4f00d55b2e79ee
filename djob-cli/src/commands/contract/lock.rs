//! `contract lock`: writes down what the jobs promise today.

use djob_contract::{Compatibility, Lock};
use serde::Serialize;

use super::check::sentence;
use crate::args::LockArgs;
use crate::exit::{Exit, Failure};
use crate::output::Output;

#[derive(Serialize)]
struct Written {
    file: String,
    kinds: usize,
}

pub(super) fn run(output: Output, args: &LockArgs) -> Result<(), Failure> {
    let registry = super::linked()?;
    let before = super::read(&args.file)?;
    let rulings = before.as_ref().map(|before| before.check(&registry)).unwrap_or_default();
    let refused: Vec<_> =
        rulings.iter().filter(|ruling| ruling.compatibility > Compatibility::Safe).map(sentence).collect();
    if !args.accept && !refused.is_empty() {
        let way_out = "to write it down all the same: contract lock --accept";
        return Err(Failure::several(
            Exit::CheckFailed,
            refused.into_iter().chain([way_out.to_owned()]).collect(),
        ));
    }
    let lock = Lock::of(&registry, before.as_ref());
    let file = args.file.display().to_string();
    std::fs::write(&args.file, lock.to_text())
        .map_err(|error| Failure::new(Exit::Failed, format!("{file} cannot be written: {error}")))?;
    let kinds = lock.kinds().len();
    let text = format!("{file}: {kinds} {}\n", if kinds == 1 { "kind" } else { "kinds" });
    output.print(Written { file, kinds }, || text)
}
