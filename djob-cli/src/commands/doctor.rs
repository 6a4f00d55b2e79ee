//! `doctor`: what weakens the promise, and what to type about it.

use djob::{Finding, Verdict};
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::connect::Database;
use crate::exit::{Exit, Failure};
use crate::output::{Colour, Output, bold, painted};
use crate::plain;

/// What stands below a check begins under its name.
const INDENT: &str = "         ";
/// How long a line of prose is; with the indent, less than 100 columns.
const PROSE: usize = 88;

#[derive(Serialize)]
struct Examined<'a> {
    ok: bool,
    database: &'static str,
    findings: &'a [Finding],
}

pub(crate) async fn run(database: Database, output: Output, args: DoctorArgs) -> Result<(), Failure> {
    let client = database.connect_any().await?;
    let findings = client.examine().await?;
    let bad = bad(&findings, if args.strict { Verdict::Warning } else { Verdict::Danger });
    let examined =
        Examined { ok: bad.is_empty(), database: client.storage().database(), findings: &findings };
    output.print(examined, || screen(&findings))?;
    if bad.contains(&"schema") {
        client.check_schema().await?;
    }
    match bad.as_slice() {
        [] => Ok(()),
        bad => Err(Failure::new(Exit::CheckFailed, format!("not well: {}", bad.join(", ")))),
    }
}

fn bad(findings: &[Finding], from: Verdict) -> Vec<&'static str> {
    findings.iter().filter(|finding| finding.verdict >= from).map(|finding| finding.check).collect()
}

/// A line for each check, and below what is not well why it matters and what to type.
fn screen(findings: &[Finding]) -> String {
    let widest = findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
    let mut screen = String::new();
    for Finding { check, verdict, found, why, fix, .. } in findings {
        let check = format!("{check:widest$}");
        let check = if *verdict == Verdict::Ok { check } else { bold(&check) };
        let verdict = painted(&format!("{verdict:7}"), colour(*verdict));
        screen += &format!("{verdict}  {check}  {}\n", plain::line(found));
        for line in why.map(folded).unwrap_or_default() {
            screen += &format!("{INDENT}{line}\n");
        }
        if let Some(fix) = fix {
            screen += &format!("{INDENT}{} {}\n", bold("fix:"), plain::line(fix));
        }
    }
    screen + "\n" + &summary(findings) + "\n"
}

/// Prose in lines that fit a usual terminal. What is to be typed stays in one, so that it can be copied.
fn folded(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let fits = lines.last().is_some_and(|line| line.is_empty() || line.len() + 1 + word.len() <= PROSE);
        match lines.last_mut() {
            Some(line) if fits => *line += &format!("{}{word}", if line.is_empty() { "" } else { " " }),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn colour(verdict: Verdict) -> Colour {
    match verdict {
        Verdict::Ok => Colour::Green,
        Verdict::Warning => Colour::Yellow,
        Verdict::Danger => Colour::Red,
        _ => Colour::Bold,
    }
}

/// `All 24 checks are ok.`, or how many are not.
fn summary(findings: &[Finding]) -> String {
    let counted = |verdict, one: &str, more: &str| match findings
        .iter()
        .filter(|finding| finding.verdict == verdict)
        .count()
    {
        0 => None,
        1 => Some(format!("1 {one}")),
        number => Some(format!("{number} {more}")),
    };
    let worst = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok);
    let text = match worst {
        Verdict::Ok => format!("All {} checks are ok.", findings.len()),
        _ => {
            let parts = [
                counted(Verdict::Danger, "danger", "dangers"),
                counted(Verdict::Warning, "warning", "warnings"),
                counted(Verdict::Unknown, "unknown", "unknown"),
                counted(Verdict::Ok, "ok", "ok"),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            format!("{} checks: {}.", findings.len(), parts.join(", "))
        }
    };
    painted(&text, colour(worst))
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn prose_is_folded_between_words_and_none_is_lost() {
        let text = "The server keeps its log for a reader that may never come back, until the disk is full, and then stops.";
        let lines = folded(text);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.len() <= super::PROSE));
        assert_eq!(lines.join(" "), text);
        assert_eq!(folded("short"), ["short"]);
    }
}
