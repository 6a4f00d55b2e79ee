//! Names: the grammar of queues and kinds, and the names derived from the function's own.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::Parser;

const LONGEST: usize = 63;

/// Why `text` cannot be the name of a `what`.
pub(crate) fn fault(what: &str, text: &str) -> Option<String> {
    let rule = "use 1 to 63 of a-z, 0-9 and `_ . : -`, a letter first";
    (!is_valid(text)).then(|| format!("{text:?} cannot be the name of a {what}: {rule}"))
}

/// The nearest text that can be a name, `send_mail` for `sendMail`, if there is one.
pub(crate) fn nearest_valid(text: &str) -> Option<String> {
    let (mut fixed, mut in_word) = (String::new(), false);
    for c in text.trim().chars() {
        if c.is_ascii_uppercase() && in_word {
            fixed.push('_');
        }
        in_word = c.is_ascii_lowercase() || c.is_ascii_digit();
        fixed.push(if " /".contains(c) { '_' } else { c.to_ascii_lowercase() });
    }
    is_valid(&fixed).then_some(fixed)
}

fn is_valid(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= LONGEST
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.:-".contains(c))
}

/// The known name closest to a mistyped one, if any is close.
pub(crate) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|name| (distance(name, typed), name)).min()?;
    (near.0 <= 2.max(typed.len() / 3)).then_some(near.1)
}

/// Levenshtein's edit distance, one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[row.len() - 1]
}

/// `send_welcome` -> `SendWelcomeJob`.
pub(crate) fn args_struct(function: &Ident) -> Ident {
    let plain = function.unraw().to_string();
    let name: String = plain.split('_').map(capitalised).collect();
    // A function may be called `_2nd`; a struct may not be called `2ndJob`.
    let prefix = if name.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
    Ident::new(&format!("{prefix}{name}Job"), function.span())
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The key an argument is stored under. `_id`, which is what the compiler suggests for an unused
/// parameter, must not change what is stored: it stays `id`.
pub(crate) fn key(parameter: &Ident) -> Ident {
    let plain = parameter.unraw().to_string();
    let trimmed = plain.trim_start_matches('_');
    if trimmed.len() == plain.len() || matches!(trimmed, "self" | "Self" | "super" | "crate") {
        return parameter.clone();
    }
    if syn::parse_str::<Ident>(trimmed).is_ok() {
        Ident::new(trimmed, parameter.span())
    } else if Ident::parse_any.parse_str(trimmed).is_ok() {
        Ident::new_raw(trimmed, parameter.span())
    } else {
        parameter.clone()
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn ident(text: &str) -> Ident {
        syn::parse_str(text).unwrap_or_else(|_| Ident::new(text, Span::call_site()))
    }

    #[test]
    fn the_grammar_of_names_and_its_way_out() {
        for good in ["a", "mail", "mail.welcome", "a:b-c_9", &"a".repeat(63)] {
            assert_eq!(fault("queue", good), None);
        }
        for bad in ["", "9", "_a", "é", "a b", "A", &"a".repeat(64)] {
            assert!(fault("queue", bad).is_some(), "{bad}");
        }
        for (text, fixed) in [("Send Mail", "send_mail"), ("sendMail", "send_mail"), ("SENDMail", "sendmail")]
        {
            assert_eq!(nearest_valid(text).as_deref(), Some(fixed));
        }
        assert_eq!(nearest_valid("9"), None);
    }

    #[test]
    fn a_typo_finds_its_neighbour_and_nonsense_finds_none() {
        let known = ["queue", "retries", "priority"];
        assert_eq!(nearest("retires", known.into_iter()), Some("retries"));
        assert_eq!(nearest("prio", known.into_iter()), None);
        assert_eq!(nearest("xyzzy", known.into_iter()), None);
    }

    #[test]
    fn structs_are_named_after_functions() {
        for (function, structure) in
            [("send_welcome", "SendWelcomeJob"), ("r#type", "TypeJob"), ("_2nd", "_2ndJob"), ("a", "AJob")]
        {
            assert_eq!(args_struct(&ident(function)).to_string(), structure);
        }
    }

    #[test]
    fn underscores_do_not_change_what_is_stored() {
        for (parameter, stored) in
            [("_id", "id"), ("id", "id"), ("__", "__"), ("_1", "_1"), ("_self", "_self"), ("_type", "r#type")]
        {
            assert_eq!(key(&ident(parameter)).to_string(), stored);
        }
    }
}
