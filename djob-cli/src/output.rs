//! Data on its way out: a table for people, JSON for programs.

use std::io::{self, IsTerminal, Write as _};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::args::Format;
use crate::exit::{Exit, Failure};

/// The shape of everything that is printed as JSON. Fields may be added to a version, and are never taken away.
#[derive(Serialize)]
struct Document<T> {
    schema_version: u8,
    #[serde(flatten)]
    data: T,
}

/// Where data goes, and how it looks.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Output { format }
    }

    /// Prints `data` as JSON, or `text` for people.
    pub(crate) fn print(self, data: impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = match self.format {
            Format::Table => text(),
            Format::Json => json(data)?,
        };
        self.raw(&text)
    }

    /// Prints what has the same form for people and for programs.
    pub(crate) fn raw(self, text: &str) -> Result<(), Failure> {
        match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
            // Whoever reads has seen enough: `djob jobs list | head -1`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Failure::new(Exit::Failed, format!("the output cannot be written: {error}"))),
            Ok(()) => Ok(()),
        }
    }

    /// Says something to people that is no data.
    pub(crate) fn note(self, text: &str) {
        if self.format == Format::Table {
            eprintln!("{text}");
        }
    }
}

fn json(data: impl Serialize) -> Result<String, Failure> {
    let document = Document { schema_version: 1, data };
    let text = serde_json::to_string_pretty(&document)
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    Ok(text + "\n")
}

/// Columns without lines; those whose heading begins with `>` are numbers.
pub(crate) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headings.iter().map(|heading| heading.trim_start_matches('>').to_uppercase()));
    table.add_rows(rows);
    for (column, heading) in table.column_iter_mut().zip(headings) {
        column.set_padding((0, 2));
        if heading.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = table.lines().map(|line| line.trim_end().to_owned());
    let heading = bold(&lines.next().unwrap_or_default());
    [heading].into_iter().chain(lines).map(|line| line + "\n").collect()
}

/// Emphasis, where it can be seen.
pub(crate) fn bold(text: &str) -> String {
    painted(text, Colour::Bold)
}

/// How a word stands out.
#[derive(Clone, Copy)]
pub(crate) enum Colour {
    Bold = 1,
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// The text in that colour, where it can be seen.
pub(crate) fn painted(text: &str, colour: Colour) -> String {
    match styled(io::stdout().is_terminal()) {
        true => format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8),
        false => text.to_owned(),
    }
}

/// Whether messages may have colours.
pub(crate) fn stderr_is_styled() -> bool {
    styled(io::stderr().is_terminal())
}

fn styled(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
