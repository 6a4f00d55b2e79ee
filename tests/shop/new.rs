//! The shop of `old.rs` after a deploy: each of its jobs has changed in another way.

mod ledger;

use std::process::ExitCode;

use djob::serde::{Deserialize, Serialize};
use djob::{BoxError, job};
use ledger::note;

#[derive(Deserialize)]
#[serde(crate = "djob::serde")]
struct SendWelcomeV1 {
    number: u64,
    user_id: i64,
}

fn v1_to_v2(old: SendWelcomeV1) -> SendWelcomeJob {
    SendWelcomeJob { number: old.number, name: format!("user {}", old.user_id) }
}

#[job(version = 2, upcast = v1_to_v2)]
async fn send_welcome(number: u64, name: String) {
    note("send_welcome", number, "new", &name);
}

#[job]
async fn resize(number: u64, width: u32, #[serde(default)] height: Option<u32>) {
    note("resize", number, "new", &format!("{width}x{height:?}"));
}

/// Workers of the old code would miss the subject: they leave these jobs to the new ones.
#[job(version = 2, upcast = |old: RemindJob| old)]
async fn remind(number: u64) {
    note("remind", number, "new", "-");
}

#[derive(Serialize, Deserialize, djob::schemars::JsonSchema, Debug)]
#[serde(crate = "djob::serde", rename_all = "snake_case")]
#[schemars(crate = "djob::schemars")]
enum Payment {
    Card,
    Invoice,
    Voucher,
}

#[job(version = 2, upcast = |old: BillJob| old)]
async fn bill(number: u64, payment: Payment) {
    note("bill", number, "new", &format!("{payment:?}"));
}

#[job(name = "sweep", aliases = ["tidy_up"])]
async fn sweep(number: u64) {
    note("sweep", number, "new", "-");
}

/// Is new.
#[job]
async fn report(number: u64) {
    note("report", number, "new", "-");
}

async fn seed(numbers: std::ops::Range<u64>) -> Result<(), BoxError> {
    let client = ledger::client().await?;
    for number in numbers {
        send_welcome.perform_later(number, "Ada".into()).on(&client).await?;
        resize.perform_later(number, 80, Some(60)).on(&client).await?;
        remind.perform_later(number).on(&client).await?;
        bill.perform_later(number, Payment::Voucher).on(&client).await?;
        sweep.perform_later(number).on(&client).await?;
        report.perform_later(number).on(&client).await?;
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
