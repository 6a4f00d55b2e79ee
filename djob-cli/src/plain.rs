//! Text that is safe to show: no passwords, no control characters.

/// The text with the passwords of URLs taken out. They come here by a URL in the wrong place of a command line.
pub(crate) fn without_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at + 3);
        let end = url
            .find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`' | '\u{1b}'))
            .unwrap_or(url.len());
        shown.push_str(before);
        shown.push_str(&without_password(&url[..end]));
        rest = &url[end..];
    }
    shown + rest
}

/// What follows `://`, less the password in `user:password@host` and in `?password=..`.
fn without_password(url: &str) -> String {
    let (user, host) = url.rsplit_once('@').map_or(("", url), |(user, host)| (user, host));
    let login = match user.split_once(':') {
        Some((name, _)) => format!("{name}:***@"),
        None if user.is_empty() => String::new(),
        None => format!("{user}@"),
    };
    let mut parts = host.split("password=");
    let mut shown = login + parts.next().unwrap_or_default();
    for part in parts {
        shown.push_str("password=***");
        shown.push_str(part.find('&').map_or("", |end| &part[end..]));
    }
    shown
}

/// The text without control characters, which could repaint the reader's terminal; line breaks stay.
pub(crate) fn text(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// The text as one line.
pub(crate) fn line(line: &str) -> String {
    text(&line.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// At most `max` characters of the text, as one line.
pub(crate) fn short(text: &str, max: usize) -> String {
    let line = line(text);
    match line.char_indices().nth(max) {
        Some(_) => line.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_never_shown() {
        let shown = without_passwords("no 'postgres://ada:se/cr@et@host/db?password=secret&x=1' here");
        assert_eq!(shown, "no 'postgres://ada:***@host/db?password=***&x=1' here");
        assert_eq!(without_passwords("postgres://ada@host/db"), "postgres://ada@host/db");
        assert_eq!(without_passwords("sqlite://jobs.db"), "sqlite://jobs.db");
        assert_eq!(without_passwords("plain"), "plain");
    }

    #[test]
    fn text_stays_on_its_line_and_does_not_paint() {
        assert_eq!(line("one\n  two\u{1b}[31m"), "one two\u{fffd}[31m");
        assert_eq!(short("eleven words", 7), "eleven…");
        assert_eq!(short("eleven", 6), "eleven");
    }
}
