//! Claim: each job to one caller only, in order, when it is due.

use std::collections::HashSet;

use djob::storage::{Cursor, LaneAt};
use djob::{Claim, Due, JobState, NewJob};

use super::subject::*;

pub async fn eight_claimers_take_each_job_exactly_once(subject: &Subject) -> Checked {
    eight_claimers(subject, 7).await
}

pub async fn eight_claimers_of_large_batches_take_each_job_exactly_once(subject: &Subject) -> Checked {
    eight_claimers(subject, 300).await
}

async fn eight_claimers(subject: &Subject, limit: u32) -> Checked {
    const JOBS: i16 = 600;
    let lane = |n: i16| NewJob {
        queue: ["a", "b", "c"][usize::from(n.unsigned_abs() % 3)].into(),
        priority: n % 2,
        ..job()
    };
    subject.storage().enqueue((0..JOBS).map(lane).collect()).await?;
    let mut claimers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (storage, heads) = (subject.storage().clone(), subject.heads().await?);
        claimers.spawn(async move {
            let mut taken = vec![];
            loop {
                let claims = storage.claim(worker(), &heads, limit, None).await?;
                if claims.is_empty() {
                    return Ok::<_, djob::StorageError>(taken);
                }
                taken.extend(ids(&claims));
            }
        });
    }
    let mut taken = vec![];
    while let Some(claimer) = claimers.join_next().await {
        taken.extend(claimer??);
    }
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), taken.len(), "a job was claimed twice");
    // Rows that another claimer had locked are skipped, and found by the next look.
    taken.extend(ids(&subject.claim(worker(), 1000).await?));
    assert_eq!(taken.len(), 600, "a job was lost");
    Ok(())
}

pub async fn a_lane_is_taken_by_run_at_and_then_by_id(subject: &Subject) -> Checked {
    let (third, second, first) = (job(), job(), job());
    let at = |by| Due::At(subject.now() + SECOND * by);
    let jobs = [
        NewJob { due: at(3), ..third.clone() },
        NewJob { due: at(2), ..second.clone() },
        NewJob { due: at(1), ..first.clone() },
    ];
    let (same_a, same_b) = (job(), job());
    let same = |job: &NewJob| NewJob { due: at(4), ..job.clone() };
    subject.storage().enqueue(vec![same(&same_b), same(&same_a)]).await?;
    subject.storage().enqueue(jobs.to_vec()).await?;
    subject.advance(SECOND * 5);
    let mut taken = vec![];
    for limit in [2, 2, 1] {
        taken.extend(ids(&subject.claim(worker(), limit).await?));
    }
    assert_eq!(taken, [first.id, second.id, third.id, same_a.id, same_b.id]);
    Ok(())
}

pub async fn the_jobs_of_one_claim_are_in_the_order_in_which_they_start(subject: &Subject) -> Checked {
    let wanted = subject.put_many(100).await?;
    assert_eq!(ids(&subject.claim(worker(), 100).await?), wanted);
    Ok(())
}

pub async fn lanes_are_served_in_the_order_in_which_they_are_asked(subject: &Subject) -> Checked {
    let urgent = subject.put(NewJob { priority: -5, ..job() }).await?;
    let later = subject.put(NewJob { priority: 5, ..job() }).await?;
    let normal = subject.put(job()).await?;
    let mut taken = vec![];
    for _ in 0..3 {
        taken.extend(ids(&subject.claim(worker(), 1).await?));
    }
    assert_eq!(taken, [urgent, normal, later]);
    Ok(())
}

pub async fn a_job_that_is_not_due_is_not_claimed(subject: &Subject) -> Checked {
    let id = subject.put(NewJob { due: Due::In(SECOND), ..job() }).await?;
    assert_eq!(ids(&subject.claim(worker(), 10).await?), []);
    subject.advance(SECOND);
    assert_eq!(ids(&subject.claim(worker(), 10).await?), [id]);
    Ok(())
}

pub async fn the_limit_holds_over_all_lanes(subject: &Subject) -> Checked {
    for queue in ["a", "b", "c"] {
        let jobs = (0..5).map(|_| NewJob { queue: queue.into(), ..job() });
        subject.storage().enqueue(jobs.collect()).await?;
    }
    assert_eq!(ids(&subject.claim(worker(), 7).await?).len(), 7);
    assert_eq!(ids(&subject.claim(worker(), 100).await?).len(), 8);
    Ok(())
}

pub async fn a_claim_reads_on_from_its_cursor(subject: &Subject) -> Checked {
    let early = subject.put(job()).await?;
    subject.advance(SECOND);
    let late = subject.put(job()).await?;
    let row = subject.row(early).await?;
    let cursor = Cursor { run_at: row.run_at, id: early };
    let taken = subject.storage().claim(worker(), &[lane_at("default", 0, cursor)], 10, None).await?;
    assert_eq!(ids(&taken), [late], "what stands at the cursor or before it was taken already");
    Ok(())
}

pub async fn what_came_late_behind_the_cursor_is_found_from_the_head(subject: &Subject) -> Checked {
    let ids_stored = subject.put_many(3).await?;
    let cursor = Cursor { run_at: subject.now(), id: ids_stored[2] };
    let from = |after| [lane_at("default", 0, after)];
    assert!(subject.storage().claim(worker(), &from(cursor), 10, None).await?.is_empty());
    assert_eq!(ids(&subject.storage().claim(worker(), &from(Cursor::HEAD), 10, None).await?), ids_stored);
    Ok(())
}

pub async fn each_lane_is_one_claim_with_a_fence_of_its_own(subject: &Subject) -> Checked {
    let jobs = ["a", "b", "a", "b", "c"].map(|queue| NewJob { queue: queue.into(), ..job() });
    subject.storage().enqueue(jobs.to_vec()).await?;
    let claims = subject.claim(worker(), 100).await?;
    assert_eq!(claims.len(), 3);
    assert_eq!(claims.iter().map(|claim| claim.key.fence).collect::<HashSet<_>>().len(), 3);
    for Claim { key, jobs, started } in &claims {
        assert_eq!((key.row, *started), (key.fence, false), "a batch is named by its fence");
        assert!(jobs.iter().all(|job| job.queue == jobs[0].queue));
    }
    Ok(())
}

/// `ctx.fence()` goes to systems outside, which refuse what is smaller than they have seen.
pub async fn fences_grow_from_claim_to_claim_of_one_job(subject: &Subject) -> Checked {
    subject.put(job()).await?;
    let mut last = None;
    for _ in 0..5 {
        let worker = worker();
        let claim = subject.claim_batch(worker).await?;
        assert!(Some(claim.key.fence) > last);
        last = Some(claim.key.fence);
        subject.settle(worker, all(&claim, &djob::Settlement::Release)).await?;
    }
    Ok(())
}

pub async fn a_claimed_job_runs_and_waits_no_more(subject: &Subject) -> Checked {
    let id = subject.put(job()).await?;
    subject.claim_batch(worker()).await?;
    assert_eq!(subject.state(id).await?, Some(JobState::Running));
    assert_eq!(ids(&subject.claim(worker(), 10).await?), []);
    assert!(subject.storage().lanes((i16::MIN, i16::MAX)).await?.is_empty());
    Ok(())
}

pub async fn a_claim_says_all_that_is_stored_of_a_job(subject: &Subject) -> Checked {
    let mut new = NewJob { queue: "mail".into(), priority: 3, max_attempts: 9, ..job() };
    new.meta.tags = vec!["signup".into()];
    let claim = subject.put_and_claim(worker(), new.clone()).await?;
    let job = &claim.jobs[0];
    assert_eq!((job.id, &*job.kind, &*job.queue, job.priority), (new.id, &*new.kind, "mail", 3));
    assert_eq!((job.run_at, job.attempt, job.max_attempts), (subject.now(), 0, 9));
    assert_eq!((job.args.as_deref(), job.args_apart), (Some(&*new.args), false));
    assert_eq!(job.meta, new.meta);
    Ok(())
}

pub async fn nothing_is_claimed_from_a_lane_that_is_not_asked_for(subject: &Subject) -> Checked {
    subject.put(NewJob { queue: "other".into(), ..job() }).await?;
    subject.put(NewJob { priority: 1, ..job() }).await?;
    let asked: [LaneAt; 1] = [lane_at("default", 0, Cursor::HEAD)];
    assert!(subject.storage().claim(worker(), &asked, 10, None).await?.is_empty());
    assert!(subject.storage().claim(worker(), &[], 10, None).await?.is_empty());
    Ok(())
}

pub async fn lanes_are_those_with_a_job_in_them(subject: &Subject) -> Checked {
    let due = Due::In(HOUR);
    let jobs = [NewJob { due, ..job() }, job(), NewJob { queue: "mail".into(), due, priority: 2, ..job() }];
    subject.storage().enqueue(jobs.to_vec()).await?;
    let mut lanes = subject.storage().lanes((i16::MIN, i16::MAX)).await?;
    lanes.sort_by(|a, b| a.queue.cmp(&b.queue));
    let seen: Vec<_> =
        lanes.iter().map(|lane| (&*lane.queue, lane.priority, lane.due_at, lane.seen_at)).collect();
    let now = subject.now();
    assert_eq!(seen, [("default", 0, now, now), ("mail", 2, now + HOUR, now)]);
    Ok(())
}

pub async fn lanes_of_other_priorities_are_left_out(subject: &Subject) -> Checked {
    for priority in [i16::MIN, -1, 0, 1, i16::MAX] {
        subject.put(NewJob { priority, ..job() }).await?;
    }
    let mut seen = vec![];
    for priorities in [(-1, 1), (i16::MIN, -2), (2, i16::MAX)] {
        seen.push(subject.storage().lanes(priorities).await?.len());
    }
    assert_eq!(seen, [3, 1, 1]);
    Ok(())
}

pub async fn nothing_is_claimed_from_a_paused_queue_that_is_asked_for(subject: &Subject) -> Checked {
    subject.put(job()).await?;
    subject.storage().pause("default", true).await?;
    for limit in [1, 1000] {
        let lane = lane_at("default", 0, Cursor::HEAD);
        assert!(subject.storage().claim(worker(), &[lane], limit, None).await?.is_empty());
    }
    subject.storage().pause("default", false).await?;
    assert_eq!(ids(&subject.claim(worker(), 1).await?).len(), 1);
    Ok(())
}

pub async fn a_paused_queue_has_no_lane(subject: &Subject) -> Checked {
    subject.put(NewJob { queue: "mail".into(), ..job() }).await?;
    subject.put(job()).await?;
    assert_eq!(subject.storage().paused().await?, Vec::<String>::new());
    assert!(subject.storage().pause("mail", true).await?);
    assert!(!subject.storage().pause("mail", true).await?, "it was so already");
    assert_eq!(subject.storage().paused().await?, ["mail"]);
    assert_eq!(subject.heads().await?.iter().map(|lane| &*lane.queue).collect::<Vec<_>>(), ["default"]);
    assert!(subject.storage().pause("mail", false).await?);
    assert!(!subject.storage().pause("mail", false).await?);
    assert_eq!((subject.storage().paused().await?, subject.heads().await?.len()), (vec![], 2));
    Ok(())
}
