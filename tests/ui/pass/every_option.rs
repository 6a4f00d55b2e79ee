//! Each option in each of its forms.

use std::time::Duration;

use djob::{Job as _, job};

fn later(attempt: u32) -> Duration {
    Duration::from_secs(u64::from(attempt))
}

#[job(
    queue = "bulk.mail:eu-1",
    priority = -5,
    delay = "1h30m",
    retries = 0,
    timeout = "500ms",
    keep = "forever",
    name = "mail.digest",
    aliases = ["digest", "mail.digest_v1"],
    args = Digest,
    crate = djob,
    strict,
    transactional = false,
)]
async fn send_digest(user_id: i64) {
    let _ = user_id;
}

#[job(backoff = "polynomial", strict = true)]
async fn polynomial() {}

#[job(backoff = "exponential")]
async fn exponential() {}

#[job(backoff = "exponential 2s")]
async fn exponential_from() {}

#[job(backoff = "linear 30s")]
async fn linear() {}

#[job(backoff = "fixed 30s", keep = "0s")]
async fn fixed() {}

#[job(backoff = later)]
async fn by_path() {}

#[job(backoff = |attempt| later(attempt * 2))]
async fn by_closure() {}

#[job(transactional)]
async fn transfer(ctx: &djob::JobContext) {
    let _ = ctx;
}

#[job(version = 2, upcast = v1_to_v2)]
async fn second_version(name: String) {
    drop(name);
}

fn v1_to_v2(old: String) -> SecondVersionJob {
    SecondVersionJob { name: old }
}

#[job(version = 4, upcast = [_, |old: u8| -> Result<u16, String> { Ok(old.into()) }, count])]
async fn fourth_version(n: u32) {
    let _ = n;
}

fn count(old: u16) -> FourthVersionJob {
    FourthVersionJob { n: old.into() }
}

#[job()]
async fn no_option() {}

fn main() {
    let def = send_digest.def();
    assert_eq!((def.kind, def.aliases), ("mail.digest", &["digest", "mail.digest_v1"][..]));
    assert_eq!((def.priority, def.retries, def.strict), (-5, 0, true));
    assert_eq!(def.timeout, Some(Duration::from_millis(500)));
    assert_eq!(Digest { user_id: 1 }.delay(), Duration::from_secs(5400));
    assert!(transfer.def().transactional);
    assert_eq!((second_version.def().version, fourth_version.def().version), (2, 4));
    assert!(fourth_version.def().upcasts[0].is_none() && fourth_version.def().upcasts[1].is_some());
    let _ = (polynomial, exponential, exponential_from, linear, fixed, by_path, by_closure, no_option);
}
