//! Attributes of the function stay with it, above and below `#[job]`.

use djob::job;

#[allow(clippy::unused_async)]
#[job]
#[cfg(not(any()))]
#[inline]
#[must_use = "look at it"]
async fn below_and_above() -> Result<(), std::io::Error> {
    Ok(())
}

#[job]
#[cfg(any())]
async fn configured_away(unknown: Unknown) {}

fn main() {
    let _ = below_and_above.perform_later();
}
