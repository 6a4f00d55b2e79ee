//! The lease: who beats keeps its jobs, and who is silent for too long has lost them for ever.

use std::time::Duration;

use djob::storage::News;
use djob::{Claim, JobState, NewJob, Settlement};
use uuid::Uuid;

use super::subject::*;

pub async fn a_beat_within_the_lease_is_believed(subject: &Subject) -> Checked {
    let worker = subject.join().await?;
    let mut heart = subject.storage().heart().await?;
    for _ in 0..5 {
        subject.advance(LEASE - SECOND);
        assert!(heart.beat(worker, LEASE).await?.is_some());
    }
    Ok(())
}

pub async fn a_beat_after_the_lease_is_refused_for_ever(subject: &Subject) -> Checked {
    let worker = subject.join().await?;
    let mut heart = subject.storage().heart().await?;
    subject.advance(LEASE + SECOND);
    for _ in 0..3 {
        assert!(heart.beat(worker, LEASE).await?.is_none(), "others may have its jobs already");
    }
    Ok(())
}

pub async fn a_worker_that_never_joined_or_left_has_no_heartbeat(subject: &Subject) -> Checked {
    let mut heart = subject.storage().heart().await?;
    assert!(heart.beat(worker(), LEASE).await?.is_none());
    let left = subject.join().await?;
    subject.storage().leave(left).await?;
    assert!(heart.beat(left, LEASE).await?.is_none());
    Ok(())
}

pub async fn a_clock_that_is_set_back_keeps_no_dead_worker_alive(subject: &Subject) -> Checked {
    let before = subject.now();
    subject.advance(HOUR);
    let (dead, alive) = (subject.join().await?, subject.join().await?);
    let (lost, _) = (subject.put_and_claim(dead, job()).await?, subject.put_and_claim(alive, job()).await?);
    subject.set_back_to(before);
    let mut heart = subject.storage().heart().await?;
    assert!(heart.beat(alive, LEASE).await?.is_some(), "a worker that lives goes on");
    subject.advance(LEASE - SECOND);
    assert!(heart.beat(alive, LEASE).await?.is_some());
    assert!(subject.orphans(LEASE).await?.is_empty(), "nobody knows who lives so soon");
    subject.advance(SECOND * 2);
    let orphans = subject.orphans(LEASE).await?;
    assert_eq!(
        orphans.iter().map(|(worker, claim)| (*worker, claim.key)).collect::<Vec<_>>(),
        [(dead, lost.key)]
    );
    Ok(())
}

pub async fn a_beat_tells_of_silent_workers(subject: &Subject) -> Checked {
    let (_silent, alive) = (subject.join().await?, subject.join().await?);
    let mut heart = subject.storage().heart().await?;
    subject.advance(LEASE - SECOND);
    assert_eq!(heart.beat(alive, LEASE).await?, Some(News::default()), "it lives until its lease is over");
    subject.advance(SECOND);
    assert_eq!(heart.beat(alive, LEASE).await?, Some(News { silence: true, ..News::default() }));
    subject.advance(LEASE * 11);
    subject.storage().bury(LEASE * 10).await?;
    let young = subject.join().await?;
    assert_eq!(heart.beat(young, LEASE).await?, Some(News::default()), "nor of those that are buried");
    Ok(())
}

pub async fn a_beat_tells_of_claims_that_are_older_than_a_lease(subject: &Subject) -> Checked {
    let (worker, other) = (subject.join().await?, subject.join().await?);
    let mut heart = subject.storage().heart().await?;
    subject.put_and_claim(worker, job()).await?;
    for _ in 0..2 {
        assert_eq!(heart.beat(worker, LEASE).await?, Some(News::default()));
        assert_eq!(heart.beat(other, LEASE).await?, Some(News::default()));
        subject.advance(LEASE / 2);
    }
    assert_eq!(heart.beat(other, LEASE).await?, Some(News::default()), "another's claim is not its own");
    assert_eq!(heart.beat(worker, LEASE).await?, Some(News { old_claims: true, ..News::default() }));
    Ok(())
}

pub async fn a_beat_tells_of_parked_kinds(subject: &Subject) -> Checked {
    let worker = subject.join().await?;
    let mut heart = subject.storage().heart().await?;
    subject.put_and_settle(job(), park("broken_contract")).await?;
    assert_eq!(heart.beat(worker, LEASE).await?, Some(News::default()), "no worker can help with that");
    subject.put_and_settle(job(), park("unknown_kind")).await?;
    assert_eq!(heart.beat(worker, LEASE).await?, Some(News { parked: true, ..News::default() }));
    Ok(())
}

pub async fn the_claims_of_a_living_worker_are_no_orphans(subject: &Subject) -> Checked {
    let worker = subject.join().await?;
    subject.put_and_claim(worker, job()).await?;
    let mut heart = subject.storage().heart().await?;
    for _ in 0..3 {
        subject.advance(LEASE - SECOND);
        assert!(subject.orphans(LEASE).await?.is_empty());
        assert!(heart.beat(worker, LEASE).await?.is_some());
    }
    Ok(())
}

pub async fn the_claims_of_a_silent_worker_are_orphans(subject: &Subject) -> Checked {
    let (silent, alive) = (subject.join().await?, subject.join().await?);
    let claim = subject.put_and_claim(silent, job()).await?;
    subject.put_and_claim(alive, job()).await?;
    subject.advance(LEASE - SECOND);
    assert!(subject.storage().heart().await?.beat(alive, LEASE).await?.is_some());
    subject.advance(SECOND * 2);
    let orphans = subject.orphans(LEASE).await?;
    assert_eq!(orphans.len(), 1);
    assert_eq!((orphans[0].0, orphans[0].1.key), (silent, claim.key));
    assert_eq!(orphans[0].1.jobs, claim.jobs);
    Ok(())
}

pub async fn the_claims_of_a_worker_without_a_row_are_orphans(subject: &Subject) -> Checked {
    let gone = subject.join().await?;
    subject.put_and_claim(gone, job()).await?;
    subject.storage().leave(gone).await?;
    assert_eq!(subject.orphans(LEASE).await?[0].0, gone);
    Ok(())
}

pub async fn orphans_come_a_bounded_number_at_a_time(subject: &Subject) -> Checked {
    for n in 0..5 {
        subject.put(NewJob { priority: n, ..job() }).await?;
    }
    assert_eq!(subject.claim(worker(), 10).await?.len(), 5);
    let page = async |after| subject.storage().orphans(LEASE, after, 3).await;
    let first = page(Uuid::nil()).await?;
    let rest = page(first.next.ok_or("there are more")?).await?;
    assert_eq!((first.claims.len(), rest.claims.len(), rest.next), (3, 2, None));
    let keys = |page: &[(Uuid, Claim)]| page.iter().map(|(_, claim)| claim.key).collect::<Vec<_>>();
    let all = keys(&subject.orphans(LEASE).await?);
    assert_eq!([keys(&first.claims), keys(&rest.claims)].concat(), all);
    Ok(())
}

pub async fn a_rescued_claim_cannot_be_settled_by_the_worker_that_lost_it(subject: &Subject) -> Checked {
    let silent = subject.join().await?;
    subject.put_and_claim(silent, job()).await?;
    subject.advance(LEASE + SECOND);
    let (dead, claim) = subject.orphans(LEASE).await?.remove(0);
    assert!(subject.settle(dead, all(&claim, &Settlement::Rescue { crashed: true })).await?);
    assert!(!subject.settle(silent, all(&claim, &completed())).await?);
    assert_eq!(subject.state(claim.jobs[0].id).await?, Some(JobState::Ready));
    assert!(subject.orphans(LEASE).await?.is_empty());
    Ok(())
}

pub async fn two_rescuers_do_not_rescue_the_same_claim(subject: &Subject) -> Checked {
    subject.put_many(3).await?;
    subject.claim_batch(worker()).await?;
    let (dead, claim) = subject.orphans(LEASE).await?.remove(0);
    let rescue = || async {
        subject.storage().settle(dead, &[all(&claim, &Settlement::Rescue { crashed: false })]).await
    };
    let (one, two) = tokio::join!(rescue(), rescue());
    assert_eq!([one?, two?].concat().iter().filter(|accepted| **accepted).count(), 1);
    assert_eq!(ids(&subject.claim(worker(), 10).await?).len(), 3);
    Ok(())
}

pub async fn a_silent_worker_is_buried_once_it_holds_nothing(subject: &Subject) -> Checked {
    let (silent, alive) = (subject.join().await?, subject.join().await?);
    let claim = subject.put_and_claim(silent, job()).await?;
    subject.advance(LEASE - SECOND);
    assert!(subject.storage().heart().await?.beat(alive, LEASE).await?.is_some());
    subject.advance(SECOND * 2);
    assert_eq!(subject.storage().bury(LEASE).await?, 0, "its claim tells whose it was");
    assert!(subject.settle(silent, all(&claim, &Settlement::Rescue { crashed: true })).await?);
    assert_eq!(subject.storage().bury(LEASE).await?, 1);
    assert!(subject.storage().heart().await?.beat(alive, LEASE).await?.is_some());
    Ok(())
}

pub async fn a_duty_is_held_by_one_worker_for_its_time(subject: &Subject) -> Checked {
    let (first, second) = (worker(), worker());
    let hold = Duration::from_secs(50);
    assert!(subject.storage().take_duty("prune", first, hold).await?);
    assert!(!subject.storage().take_duty("prune", second, hold).await?);
    assert!(subject.storage().take_duty("another", second, hold).await?);
    subject.advance(hold);
    assert!(subject.storage().take_duty("prune", second, hold).await?);
    assert!(!subject.storage().take_duty("prune", first, hold).await?);
    Ok(())
}

pub async fn eight_workers_at_once_take_a_duty_once(subject: &Subject) -> Checked {
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let storage = subject.storage().clone();
        workers.spawn(async move { storage.take_duty("prune", worker(), HOUR).await });
    }
    let mut taken = 0;
    while let Some(one) = workers.join_next().await {
        taken += u32::from(one??);
    }
    assert_eq!(taken, 1);
    Ok(())
}
