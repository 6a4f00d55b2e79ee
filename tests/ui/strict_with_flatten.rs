use std::collections::BTreeMap;

use djob::job;

#[job(strict)]
async fn send(#[serde(flatten)] extra: BTreeMap<String, String>) {
    let _ = extra;
}

fn main() {}
