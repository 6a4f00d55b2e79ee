//! `contract check`: compares this program's jobs with the lock file.

use djob_contract::{Compatibility, Difference, Ruling};
use serde::Serialize;

use crate::args::CheckContractArgs;
use crate::exit::{Exit, Failure};
use crate::output::{Colour, Output, painted, table};

#[derive(Serialize)]
struct Checked<'a> {
    ok: bool,
    kinds: &'a [Ruling],
}

pub(super) fn run(output: Output, args: &CheckContractArgs) -> Result<(), Failure> {
    let registry = super::linked()?;
    let Some(lock) = super::read(&args.against)? else {
        let why =
            format!("there is no {}: write it with `contract lock`, and commit it", args.against.display());
        return Err(Failure::new(Exit::Usage, why));
    };
    let rulings = lock.check(&registry);
    let bad: Vec<&Ruling> = rulings.iter().filter(|ruling| is_bad(ruling, args.strict)).collect();
    output.print(Checked { ok: bad.is_empty(), kinds: &rulings }, || screen(&rulings))?;
    match bad.len() {
        0 => Ok(()),
        1 => Err(Failure::new(
            Exit::CheckFailed,
            format!("the change of {} is not safe to deploy", bad[0].kind),
        )),
        several => Err(Failure::new(
            Exit::CheckFailed,
            format!("the changes of {several} kinds are not safe to deploy"),
        )),
    }
}

fn is_bad(ruling: &Ruling, strict: bool) -> bool {
    ruling.compatibility > Compatibility::Safe || (strict && !ruling.callers.is_empty())
}

/// A ruling for those who read no table.
pub(super) fn sentence(ruling: &Ruling) -> String {
    let places: Vec<String> = ruling.waiting.iter().map(place).collect();
    match places.is_empty() {
        true => format!("{} {}", ruling.kind, ruling.summary),
        false => format!("{} {} ({})", ruling.kind, ruling.summary, places.join("; ")),
    }
}

fn place(difference: &Difference) -> String {
    let Difference { pointer, message, .. } = difference;
    if pointer.is_empty() { message.clone() } else { format!("{pointer} {message}") }
}

fn screen(rulings: &[Ruling]) -> String {
    let rows = rulings.iter().map(|ruling| {
        let survive =
            |lost: &[Difference], word: &str| if lost.is_empty() { "-".to_owned() } else { word.to_owned() };
        vec![
            ruling.kind.clone(),
            verdict(ruling.compatibility).to_owned(),
            survive(&ruling.waiting, "parked"),
            survive(&ruling.workers, "parked"),
            survive(&ruling.callers, "refused"),
        ]
    });
    let mut text = table(&["kind", "change", "waiting jobs", "on old workers", "old callers"], rows);
    for ruling in rulings.iter().filter(|ruling| !ruling.is_unchanged()) {
        text += &format!("\n{}\n", paint(ruling));
        let parts = [
            ("what waits", &ruling.waiting),
            ("new jobs on old workers", &ruling.workers),
            ("callers without the code", &ruling.callers),
        ];
        for (who, lost) in parts {
            for difference in lost {
                text += &format!("  {who}: {}\n", place(difference));
            }
        }
    }
    text
}

fn paint(ruling: &Ruling) -> String {
    let colour = match ruling.compatibility {
        Compatibility::Safe => Colour::Green,
        Compatibility::NeedsDefault | Compatibility::NeedsVersion => Colour::Yellow,
        _ => Colour::Red,
    };
    let summary = if ruling.summary.is_empty() { "takes what waits" } else { &ruling.summary };
    format!("{}: {summary}", painted(&ruling.kind, colour))
}

fn verdict(compatibility: Compatibility) -> &'static str {
    match compatibility {
        Compatibility::Safe => "safe",
        Compatibility::NeedsDefault => "needs a default",
        Compatibility::NeedsVersion => "needs a version",
        _ => "breaking",
    }
}
