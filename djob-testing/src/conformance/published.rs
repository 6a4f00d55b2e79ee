//! Contracts: what workers publish about their kinds.

use djob::{Contract, job};

use super::subject::*;

#[job(name = "conformance.published", queue = "letters", priority = -3, delay = "90s", retries = 4)]
async fn letter(#[validate(length(max = 9))] _to: String) {}

/// A job of which its code computes every option.
#[job(
    name = "conformance.computed",
    version = 2,
    upcast = _,
    queue = |job| if job.n > 9 { "large" } else { "small" },
    priority = |job| job.n,
    delay = |_| std::time::Duration::ZERO,
    unique = |job| job.n.to_string(),
)]
pub(super) async fn computed(_n: i16) {}

pub async fn what_was_published_is_read_back(subject: &Subject) -> Checked {
    let contracts = [Contract::of(computed.def()), Contract::of(letter.def())];
    assert!(subject.storage().contracts().await?.is_empty());
    subject.storage().publish(&contracts).await?;
    let read = subject.storage().contracts().await?;
    assert_eq!(read, contracts);
    assert_eq!(
        (&*read[1].queue, read[1].priority, read[1].delay, read[1].max_attempts),
        ("letters", -3, 90_000_000, 5)
    );
    assert_eq!(read[0].computed, ["queue", "priority", "delay", "unique"]);
    Ok(())
}

pub async fn a_contract_that_was_published_anew_replaces_the_one_before(subject: &Subject) -> Checked {
    let mut contract = Contract::of(letter.def());
    subject.storage().publish(&[contract.clone()]).await?;
    contract.schema = r#"{"type":"object"}"#.to_owned();
    subject.storage().publish(&[contract.clone()]).await?;
    assert_eq!(subject.storage().contracts().await?, [contract.clone()]);
    contract.version = 2;
    subject.storage().publish(&[contract]).await?;
    let versions: Vec<u16> = subject.storage().contracts().await?.iter().map(|known| known.version).collect();
    assert_eq!(versions, [1, 2], "each version has its own");
    Ok(())
}

pub async fn eight_workers_at_once_publish_the_same(subject: &Subject) -> Checked {
    let contracts = [Contract::of(computed.def()), Contract::of(letter.def())];
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (storage, contracts) = (subject.storage().clone(), contracts.clone());
        all.spawn(async move { storage.publish(&contracts).await });
    }
    while let Some(published) = all.join_next().await {
        published??;
    }
    assert_eq!(subject.storage().contracts().await?, contracts);
    Ok(())
}
