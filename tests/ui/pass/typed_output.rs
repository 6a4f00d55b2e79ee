//! The builder carries the type of what the job returns, through aliases of `Result` too.

use djob::{Enqueue, job};

type Fallible<T> = Result<T, std::num::ParseIntError>;

#[job]
async fn add_up(a: u32, b: &str) -> Fallible<u64> {
    Ok(u64::from(a) + b.parse::<u64>()?)
}

#[job]
async fn fixed() -> Result<&'static str, std::fmt::Error> {
    Ok("done")
}

#[job]
async fn quiet() {}

fn main() {
    let _: Enqueue<AddUpJob, u64> = add_up.perform_later(20, "22");
    let _: Enqueue<AddUpJob, u64> = AddUpJob { a: 20, b: "22".to_owned() }.perform_later();
    let _: Enqueue<FixedJob, &'static str> = fixed.perform_later();
    let _: Enqueue<QuietJob, ()> = quiet.perform_later();
}
