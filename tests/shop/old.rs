//! A shop before a deploy: `new.rs` is the same shop after it. `seed FROM TO` enqueues a job of each kind for each number; all
//! else is djob's own command line.

mod ledger;

use std::process::ExitCode;

use djob::serde::{Deserialize, Serialize};
use djob::{BoxError, job};
use ledger::note;

/// Becomes version 2, which asks for a name and not for a number of the customer's.
#[job]
async fn send_welcome(number: u64, user_id: i64) {
    note("send_welcome", number, "old", &user_id.to_string());
}

/// Gains an argument that has a default.
#[job]
async fn resize(number: u64, width: u32) {
    note("resize", number, "old", &width.to_string());
}

/// Loses an argument, and therefore becomes version 2.
#[job]
async fn remind(number: u64, subject: String) {
    note("remind", number, "old", &subject);
}

/// How something is paid.
#[derive(Serialize, Deserialize, djob::schemars::JsonSchema, Debug)]
#[serde(crate = "djob::serde", rename_all = "snake_case")]
#[schemars(crate = "djob::schemars")]
enum Payment {
    Card,
    Invoice,
}

/// Gains a variant, and therefore a version.
#[job]
async fn bill(number: u64, payment: Payment) {
    note("bill", number, "old", &format!("{payment:?}"));
}

/// Is renamed.
#[job]
async fn tidy_up(number: u64) {
    note("tidy_up", number, "old", "-");
}

async fn seed(numbers: std::ops::Range<u64>) -> Result<(), BoxError> {
    let client = ledger::client().await?;
    for number in numbers {
        send_welcome.perform_later(number, 7).on(&client).await?;
        resize.perform_later(number, 80).on(&client).await?;
        remind.perform_later(number, "soon".into()).on(&client).await?;
        let payment = if number.is_multiple_of(2) { Payment::Card } else { Payment::Invoice };
        bill.perform_later(number, payment).on(&client).await?;
        tidy_up.perform_later(number).on(&client).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    match ledger::seed() {
        Some(numbers) => seed(numbers).await.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        None => djob_cli::App::new().run().await,
    }
}
