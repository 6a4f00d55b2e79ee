//! Tokens: who may enqueue.

use std::fmt;

use sha2::{Digest, Sha256};

/// The fewest characters of a token.
const LENGTH_MIN: usize = 16;

/// A secret that a caller must show, as `Authorization: Bearer ..`. Only its hash is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

/// A token that could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeakToken;

impl fmt::Display for WeakToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a token has at least {LENGTH_MIN} characters: `openssl rand -hex 32` makes a good one")
    }
}

impl std::error::Error for WeakToken {}

impl Token {
    /// This secret.
    ///
    /// # Errors
    /// If it is shorter than 16 characters.
    pub fn new(secret: impl AsRef<str>) -> Result<Self, WeakToken> {
        let secret = secret.as_ref().trim();
        if secret.chars().count() < LENGTH_MIN { Err(WeakToken) } else { Ok(Token::of(secret)) }
    }

    fn of(secret: &str) -> Self {
        Token(Sha256::digest(secret).into())
    }

    /// Whether this is the secret. Hashes are compared: how long that takes says nothing about the secret.
    pub(crate) fn is(&self, secret: &str) -> bool {
        *self == Token::of(secret)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
