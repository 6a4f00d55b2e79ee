//! Versions: arguments outlive the code that stored them. Those of an older version are turned into today's; those of a newer
//! one wait for the code that knows it.

use std::borrow::Cow;
use std::fmt;

use super::args::{ArgsError, Fault};
use super::{JobDef, args};

/// Turns the stored arguments of one older version into today's, as JSON.
pub type Upcast = fn(&str) -> Result<String, ArgsError>;

/// Why stored arguments cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// Newer code has stored them.
    #[error("version {version}: this code reads versions up to {known}")]
    Newer {
        /// The version that was stored.
        version: u16,
        /// The newest version this code knows.
        known: u16,
    },
    /// They break the contract.
    #[error(transparent)]
    Args(#[from] ArgsError),
}

impl JobDef {
    /// Makes today's arguments of what was stored as this version; what is of today's version stays as it is, unread.
    pub(crate) fn lift<'a>(&self, version: u16, stored: &'a str) -> Result<Cow<'a, str>, Unreadable> {
        if version == self.version {
            return Ok(Cow::Borrowed(stored));
        }
        if version > self.version {
            return Err(Unreadable::Newer { version, known: self.version });
        }
        let upcast = version.checked_sub(1).and_then(|older| *self.upcasts.get(usize::from(older))?);
        match upcast {
            Some(upcast) => Ok(Cow::Owned(upcast(stored)?)),
            None => Err(Unreadable::Args(ArgsError::one(no_way_from(version)))),
        }
    }

    /// Says whether this code can run what was stored as this version of the job, without running it: it is turned into
    /// today's arguments and decoded, and the rules of the signature are checked.
    ///
    /// # Errors
    /// If the version is newer than this code, or the arguments break the contract.
    ///
    /// ```
    /// #[djob::job]
    /// async fn resize(image: String) {}
    ///
    /// # fn main() {
    /// let def = resize.def();
    /// assert!(def.read(1, r#"{"image":"a.png"}"#).is_ok());
    /// let newer = def.read(2, r#"{"picture":"a.png"}"#).unwrap_err();
    /// assert_eq!(newer.to_string(), "version 2: this code reads versions up to 1");
    /// # }
    /// ```
    pub fn read(&self, version: u16, stored: &str) -> Result<(), Unreadable> {
        let args = self.lift(version, stored)?;
        Ok((self.check)(&args)?)
    }
}

fn no_way_from(version: u16) -> Fault {
    Fault::new("", "version", format!("are of version {version}, from which no `upcast` leads to today's"))
}

/// What an upcaster may return: the arguments of the next version, or a `Result` of them.
#[diagnostic::on_unimplemented(
    message = "the upcaster returns `{Self}` where `{Next}` comes next",
    label = "not `{Next}`",
    note = "upcasters form a chain: each takes what the one before it returns, and the last one returns the job's arguments \
            struct; each may return a `Result` of it whose error can be displayed"
)]
pub trait Upcasted<Next> {
    /// What was made, or why it could not be.
    fn next(self) -> Result<Next, String>;
}

impl<Next> Upcasted<Next> for Next {
    fn next(self) -> Result<Next, String> {
        Ok(self)
    }
}

impl<Next, E: fmt::Display> Upcasted<Next> for Result<Next, E> {
    fn next(self) -> Result<Next, String> {
        self.map_err(|error| error.to_string())
    }
}

/// Reads what an older version stored.
pub fn old<A: serde::de::DeserializeOwned>(version: u16, stored: &str) -> Result<A, ArgsError> {
    args::decode_unchecked(stored).map_err(|error| error.at_version(version))
}

/// Takes one step of the chain: from this version to the next.
pub fn step<Old, Made: Upcasted<Next>, Next>(
    upcaster: fn(Old) -> Made,
    version: u16,
    old: Old,
) -> Result<Next, ArgsError> {
    upcaster(old).next().map_err(|why| {
        let why = format!("are of version {version} and cannot become version {}: {why}", version + 1);
        ArgsError::one(Fault::new("", "version", why))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Name {
        name: String,
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Names {
        first: String,
        last: String,
    }

    fn split(old: Name) -> Result<Names, &'static str> {
        let (first, last) = old.name.split_once(' ').ok_or("there is no last name")?;
        Ok(Names { first: first.to_owned(), last: last.to_owned() })
    }

    fn shout(Names { first, last }: Names) -> Names {
        Names { first: first.to_uppercase(), last: last.to_uppercase() }
    }

    fn chain(stored: &str) -> Result<Names, ArgsError> {
        let args = old(1, stored)?;
        let args = step(split, 1, args)?;
        step(shout, 2, args)
    }

    #[test]
    fn each_step_takes_what_the_one_before_it_made() {
        let names = chain(r#"{"name":"ada lovelace"}"#).unwrap();
        assert_eq!((names.first, names.last), ("ADA".to_owned(), "LOVELACE".to_owned()));
    }

    #[test]
    fn what_goes_wrong_names_the_version_the_place_and_no_value() {
        let said = |stored| chain(stored).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(said("{}"), "arguments: version 1: missing field `name`");
        assert_eq!(said(r#"{"name":["s3cret"]}"#), "/name: version 1: invalid type, expected a string");
        assert_eq!(
            said(r#"{"name":"ada"}"#),
            "arguments: are of version 1 and cannot become version 2: there is no last name"
        );
    }
}
