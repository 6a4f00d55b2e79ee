//! A process that enqueues: one by one, several at once, in transactions, some of them rolled back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use djob::storage::Cancelled;
use djob::{BoxError, Client, JobId};
use uuid::Uuid;

use crate::args::Enqueue;
use crate::bank::Bank;
use crate::dice::Dice;
use crate::jobs::Order;
use crate::ledger::{Event, Ledger};

/// Enqueues the jobs of its range, at the rate it was given.
pub(crate) async fn run(args: Enqueue) -> Result<(), BoxError> {
    let client = crate::work::connect(&args.url).await?;
    let desk =
        Arc::new(Counter { ledger: Ledger::open(&args.ledger, 0)?, bank: Bank::at(&args.url), client, args });
    let (begin, args) = (Instant::now(), &desk.args);
    let mut number = args.from;
    let mut calls = tokio::task::JoinSet::new();
    while number < args.to {
        let due = args.from + (begin.elapsed().as_secs_f64() * args.rate) as u64;
        while number < args.to.min(due) && calls.len() < 200 {
            calls.spawn(desk.clone().one(number));
            number += 1;
        }
        while calls.try_join_next().is_some() {}
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while calls.join_next().await.is_some() {}
    Ok(())
}

/// Where jobs are handed in.
struct Counter {
    ledger: Ledger,
    bank: Bank,
    client: Client,
    args: Enqueue,
}

/// How a job is enqueued.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// And again, as long as the answer is an error.
    Stubborn,
    /// Once; where the answer is an error, nobody knows.
    Once,
    /// In a transaction that is committed, or not.
    Transaction { commits: bool },
}

impl Counter {
    /// The job of this number: the same for the same seed, but for its id.
    fn order(&self, number: u64) -> (Order, Way, bool) {
        let mut dice = Dice::new(self.args.seed ^ (number.wrapping_mul(0x0123_4567_89ab_cdef)));
        let every = self.args.jobs / (self.args.killers + 1);
        let kind = match dice.below(100) {
            _ if every > 0 && number % every == every / 2 && number / every < self.args.killers => "killer",
            0..35 => "quick",
            35..55 => "short",
            55..68 => "effect",
            68..74 => "flaky",
            74..77 => "hopeless",
            77..80 => "clumsy",
            80..82 => "garbled",
            82..86 => "blocking",
            86..89 => "patient",
            89..94 => "large",
            94..99 => "newest",
            // Each of these may be alone in the quarantine for seconds.
            _ if dice.percent(50) => "sleeper",
            _ => "quick",
        };
        let measure = match kind {
            "short" | "blocking" => 1 + dice.below(60),
            "sleeper" => 1000 + dice.below(8000),
            "patient" => 100 + dice.below(900),
            "flaky" => 1 + dice.below(3),
            "effect" => u64::from(dice.percent(10)),
            _ => dice.below(3000),
        };
        let delay = if dice.percent(8) { Duration::from_millis(dice.below(4000)) } else { Duration::ZERO };
        let way = match dice.below(100) {
            0..60 => Way::Stubborn,
            60..80 => Way::Once,
            80..92 => Way::Transaction { commits: true },
            _ => Way::Transaction { commits: false },
        };
        let unique = dice.percent(5).then(|| format!("key-{}", dice.below(20)));
        let priority = [0, 0, 0, -5, 5][dice.below(5) as usize];
        let id = *JobId::new().as_uuid();
        let unwanted = dice.percent(3);
        // A killer must be there, so that it is known what became of it.
        let (way, unique) = if kind == "killer" { (Way::Stubborn, None) } else { (way, unique) };
        let unwanted = unwanted && kind != "killer";
        (Order { id, kind, delay, unique, priority, measure }, way, unwanted)
    }

    async fn one(self: Arc<Self>, number: u64) {
        let (order, way, unwanted) = self.order(number);
        let (at, id) = (self.ledger.now(), order.id);
        let due = at + i64::try_from(order.delay.as_micros()).unwrap_or(0);
        let (key, commits) = (order.unique.clone(), way != Way::Transaction { commits: false });
        self.ledger.note(&Event::Intent { at, id, number, kind: order.kind.into(), due, key, commits });
        let mut pause = Duration::from_millis(50);
        let answer = loop {
            match (self.call(&order, way).await, way) {
                (Err(_), Way::Stubborn) => {}
                (answer, _) => break answer,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        };
        let at = self.ledger.now();
        self.ledger.note(&match (answer, way) {
            (Err(_), _) => Event::Unknown { at, id },
            (Ok(_), Way::Transaction { commits: false }) => Event::RolledBack { at, id },
            (Ok(stored), _) if stored == id => Event::Enqueued { at, id },
            (Ok(into), _) => Event::Merged { at, id, into },
        });
        if unwanted {
            self.cancel(id).await;
        }
    }

    /// Returns the job's id, or that of the job which holds its unique key.
    async fn call(&self, order: &Order, way: Way) -> Result<Uuid, BoxError> {
        let Way::Transaction { commits } = way else {
            return Ok(order.enqueue(&self.client, None).await?);
        };
        let mut stored = order.id;
        let work = self.bank.within(async |till| {
            stored = order.enqueue(&self.client, Some(till)).await?;
            Ok(commits)
        });
        match work.await {
            Ok(_) => Ok(stored),
            // Nothing was committed that was not meant to be.
            Err(_) if !commits => Ok(order.id),
            Err(error) => Err(error),
        }
    }

    async fn cancel(&self, id: Uuid) {
        let done = self.client.cancel(id.into()).await;
        let done = matches!(done, Ok(Cancelled::Now));
        self.ledger.note(&Event::Cancelled { at: self.ledger.now(), id, done });
    }
}
