//! What both programs share: the ledger in which each run is noted.

use std::io::Write as _;

/// Notes that this code has run a job, and what it made of its arguments.
pub(crate) fn note(kind: &str, number: u64, code: &str, seen: &str) {
    let path = std::env::var("LEDGER").unwrap_or_else(|_| "ledger".to_owned());
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    // One write each, so that lines of two processes do not mix.
    let written =
        file.and_then(|mut file| file.write_all(format!("{kind} {number} {code} {seen}\n").as_bytes()));
    written.unwrap_or_else(|error| panic!("the ledger cannot be written: {error}"));
}

/// The numbers that `seed FROM TO` asks for; `None` if it is another command.
pub(crate) fn seed() -> Option<std::ops::Range<u64>> {
    let args: Vec<String> = std::env::args().collect();
    match &args[1..] {
        [command, from, to] if command == "seed" => Some(from.parse().ok()?..to.parse().ok()?),
        _ => None,
    }
}

/// The database that the environment names.
pub(crate) async fn client() -> Result<djob::Client, djob::BoxError> {
    Ok(djob::connect(&std::env::var("DATABASE_URL")?).await?)
}
