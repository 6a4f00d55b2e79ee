//! Names: what a kind, a queue or a tag may be called.

use std::fmt;

/// The longest name, in bytes.
pub const NAME_MAX: usize = 63;

/// A name that does not follow the one rule for names: `[a-z][a-z0-9_.:-]{0,62}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidName {
    what: &'static str,
    name: String,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InvalidName { what, name } = self;
        write!(
            f,
            "{name:?} is not a name for a {what}: a lower-case letter first, then up to 62 of a-z 0-9 _ . : -"
        )
    }
}

impl std::error::Error for InvalidName {}

/// Says whether `name` may be the name of a `what` ("queue", "kind", "tag").
pub(crate) fn check(what: &'static str, name: &str) -> Result<(), InvalidName> {
    let bytes = name.as_bytes();
    let lawful = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b':' | b'-');
    if bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.len() <= NAME_MAX
        && bytes.iter().all(lawful)
    {
        return Ok(());
    }
    Err(InvalidName { what, name: name.chars().take(NAME_MAX + 1).collect() })
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_start_with_a_letter_and_stay_short_and_plain() {
        for good in ["a", "mail", "mail.welcome", "a-b_c:d0", &"x".repeat(63)] {
            assert_eq!(check("queue", good), Ok(()), "{good}");
        }
        for bad in ["", "Mail", "0mail", "mail!", "ma il", "mäil", &"x".repeat(64), "a\0b"] {
            assert!(check("queue", bad).is_err(), "{bad}");
        }
    }
}
