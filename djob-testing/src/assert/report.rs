//! The report of an assertion that does not hold. Pure.

use djob::{JobRow, Timestamp};

use super::wanted::{FieldFault, Wanted, flatten, parse};

/// How many jobs a report shows.
const SHOWN: usize = 20;

/// A job that was wanted is not there, or not as often.
pub(super) fn missing(wanted: &Wanted, rows: &[JobRow], now: Timestamp, found: usize) -> String {
    let kind = wanted.kind();
    let mut report = match wanted.counted() {
        Some(count) => {
            format!("{count} jobs of the kind \"{kind}\" should wait to be run as wanted, and {found} do\n")
        }
        None => format!("no job of the kind \"{kind}\" waits to be run as wanted\n"),
    };
    report.push_str(&section("wanted", &wanted.fields(), &[]));
    if rows.is_empty() {
        report.push_str("\n  there is no job of this kind at all\n");
    }
    report + &all(wanted, rows, now)
}

/// A job is there that was not wanted.
pub(super) fn unwanted(wanted: &Wanted, rows: &[JobRow], now: Timestamp) -> String {
    let count = rows.len();
    let report =
        format!("no job of the kind \"{}\" should wait to be run like this, and {count} do\n", wanted.kind());
    report + &section("unwanted", &wanted.fields(), &[]) + &all(wanted, rows, now)
}

fn all(wanted: &Wanted, rows: &[JobRow], now: Timestamp) -> String {
    let mut report: String = rows.iter().take(SHOWN).map(|row| one(wanted, row, now)).collect();
    if rows.len() > SHOWN {
        report.push_str(&format!("\n  and {} more\n", rows.len() - SHOWN));
    }
    report
}

fn one(wanted: &Wanted, row: &JobRow, now: Timestamp) -> String {
    let due = match row.run_at - now {
        wait if wait.is_zero() => "now".to_owned(),
        wait => format!("in {wait:?}"),
    };
    let mut fields = vec![
        ("state".to_owned(), row.state.to_string()),
        ("queue".to_owned(), row.queue.clone()),
        ("priority".to_owned(), row.priority.to_string()),
        ("due".to_owned(), due),
    ];
    flatten("", &parse(&row.args), &mut fields);
    section(&format!("job {}", row.id), &fields, &wanted.faults(row, now))
}

/// A title and its fields; those at fault are marked and say what was wanted.
fn section(title: &str, fields: &[(String, String)], faults: &[FieldFault]) -> String {
    let missing = faults.iter().filter(|fault| fields.iter().all(|(name, _)| *name != fault.field));
    let missing: Vec<(String, String)> =
        missing.map(|fault| (fault.field.clone(), "missing".to_owned())).collect();
    let rows = || fields.iter().chain(&missing);
    let (names, values) = (width(rows().map(|row| &row.0)), width(rows().map(|row| &row.1)));
    let mut section = format!("\n  {title}\n");
    for (name, value) in rows() {
        let line = match faults.iter().find(|fault| fault.field == *name) {
            Some(fault) => format!("  ✗ {name:<names$}  {value:<values$}  wanted {}", fault.wanted),
            None => format!("    {name:<names$}  {value}"),
        };
        section.push_str(line.trim_end());
        section.push('\n');
    }
    section
}

fn width<'a>(texts: impl Iterator<Item = &'a String>) -> usize {
    const MAX: usize = 40;
    texts.map(|text| text.chars().count()).max().unwrap_or(0).min(MAX)
}
