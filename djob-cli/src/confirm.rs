//! A question before something that cannot be taken back.

use std::io::{self, BufRead as _, IsTerminal as _};

use crate::args::Consent;
use crate::exit::{Exit, Failure};

/// Returns if the user wants it: by `--yes`, or by an answer on the terminal.
pub(crate) fn confirm(consent: &Consent, question: &str) -> Result<(), Failure> {
    if consent.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            "this cannot be taken back, and nobody is there to be asked: add --yes",
        ));
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    match read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        true => Ok(()),
        false => Err(Failure::new(Exit::Failed, "the answer was no: nothing was changed")),
    }
}
