//! A job may name types that its module keeps to itself, and be as private as they are.

use djob::job;

struct Secret;

#[derive(Debug)]
enum Failure {}

impl std::fmt::Display for Failure {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[job]
async fn private(#[state] secret: &Secret) -> Result<(), Failure> {
    let _ = secret;
    Ok(())
}

/// As for a plain function, a private type in a public signature is a lint, not an error.
#[job]
#[allow(private_interfaces)]
pub async fn public(#[state] secret: &Secret) -> Result<u8, Failure> {
    let _ = secret;
    Ok(1)
}

fn main() {
    let _ = private.perform_later();
    let _ = public.perform_later();
}
