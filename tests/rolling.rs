//! A rolling deploy: workers of the old and of the new code side by side on one database, while the contracts of the jobs change.
//! No job is lost, none is stuck, and none runs in code that does not understand it.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use djob::{Filter, JobState};

use crate::common::{Database, Process, count, eventually, mysql, postgres, sqlite};

const OLD: &str = env!("CARGO_BIN_EXE_shop-old");
const NEW: &str = env!("CARGO_BIN_EXE_shop-new");
/// How many jobs of each kind each seed makes.
const EACH: u64 = 25;

impl Database {
    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env("DATABASE_URL", &self.url)
            .env("LEDGER", self.ledger())
            .env("DJOB_LOG", "error");
        command
    }

    fn shop_works(&self, program: &str) -> Process {
        let args = ["work", "-n", "4", "--sleep-delay", "200ms"];
        Process(self.command(program, &args).stdout(Stdio::null()).spawn().unwrap())
    }

    fn seed(&self, program: &str, from: u64) {
        let seeded = self.command(program, &["seed", &from.to_string(), &(from + EACH).to_string()]).status();
        assert!(seeded.unwrap().success());
    }

    /// For each kind and number in the ledger, by which code and with what it ran.
    fn ran(&self) -> BTreeMap<(String, u64), Vec<(String, String)>> {
        let mut ran = BTreeMap::<_, Vec<_>>::new();
        for line in std::fs::read_to_string(self.ledger()).unwrap_or_default().lines() {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            let [kind, number, code, seen] = words[..] else { panic!("{line}") };
            let run = (code.to_owned(), seen.to_owned());
            ran.entry((kind.to_owned(), number.parse().unwrap())).or_default().push(run);
        }
        ran
    }
}

async fn a_deploy_rolls(database: Database) {
    let client = &database.client;
    let old = database.shop_works(OLD);
    database.seed(OLD, 0);
    // Jobs of the new code while only the old one works: it leaves aside what it does not know.
    database.seed(NEW, 100);
    let aside = async || count(client, JobState::Parked).await > 0;
    eventually("the old code leaves jobs aside", Duration::from_secs(20), aside).await;
    let new = database.shop_works(NEW);
    for round in 2..6 {
        database.seed(OLD, round * 100);
        database.seed(NEW, round * 100 + 50);
    }
    // 5 kinds of the old code in 5 seeds, 6 of the new code in 5.
    let all = i64::try_from(EACH * (5 * 5 + 6 * 5)).unwrap();
    let done = async || count(client, JobState::Completed).await == all;
    let (mut old, mut seen) = (Some(old), 0);
    eventually("all jobs complete", Duration::from_secs(90), async || {
        seen += 1;
        // The deploy comes to its end: the last old worker goes.
        if seen == 200
            && let Some(old) = old.take()
        {
            old.signal("TERM");
        }
        done().await
    })
    .await;
    new.signal("TERM");

    let ran = database.ran();
    assert_eq!(ran.len() as u64, EACH * (5 * 5 + 6 * 5), "each has run");
    for ((kind, number), runs) in &ran {
        let [(code, seen)] = &runs[..] else { panic!("{kind} {number} ran {} times", runs.len()) };
        understood(kind, *number, is_of_old_code(*number), code, seen);
    }
}

/// Which code has enqueued the jobs of a number: see the seeds above.
fn is_of_old_code(number: u64) -> bool {
    number < 50 || (number >= 200 && number % 100 < 50)
}

/// Whether this code may have run a job, and has seen what was meant.
fn understood(kind: &str, number: u64, of_old_code: bool, code: &str, seen: &str) {
    let right = match (kind, of_old_code, code) {
        ("send_welcome", true, "old") => seen == "7",
        ("send_welcome", true, "new") => seen == "user 7",
        ("send_welcome", false, "new") => seen == "Ada",
        ("resize", _, "old") => seen == "80",
        ("resize", true, "new") => seen == "80xNone",
        ("resize", false, "new") => seen == "80xSome(60)",
        ("remind", true, "old") => seen == "soon",
        ("remind", _, "new") => seen == "-",
        ("bill", true, _) => seen == if number.is_multiple_of(2) { "Card" } else { "Invoice" },
        ("bill", false, "new") => seen == "Voucher",
        ("tidy_up", true, "old") | ("sweep", _, "new") | ("report", false, "new") => true,
        _ => false,
    };
    assert!(right, "{kind} {number} (of old code: {of_old_code}) ran in {code} code and saw {seen}");
}

/// What an old worker has left aside is taken back as soon as a worker is there that reads it.
async fn parked_jobs_come_back_with_a_capable_worker(database: Database) {
    let client = &database.client;
    database.seed(NEW, 0);
    let status = database.command(OLD, &["workoff"]).status().unwrap();
    assert!(status.success());
    // All but `resize`, whose arguments the old code reads as well.
    let (parked, all) = (i64::try_from(EACH * 5).unwrap(), i64::try_from(EACH * 6).unwrap());
    assert_eq!(
        (count(client, JobState::Parked).await, count(client, JobState::Completed).await),
        (parked, all - parked)
    );
    for row in client.list(Filter::new().state(JobState::Parked).limit(1000)).await.unwrap() {
        assert_eq!(row.attempt, 0, "no attempt was used up");
    }
    let worker = database.shop_works(NEW);
    let there = async || client.contracts().await.unwrap().iter().any(|contract| contract.version == 2);
    eventually("the worker has started", Duration::from_secs(20), there).await;
    let done = async || count(client, JobState::Completed).await == all;
    eventually("all jobs complete", Duration::from_secs(5), done).await;
    worker.signal("TERM");
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_jobs_come_back_within_5_s_on_sqlite() {
    parked_jobs_come_back_with_a_capable_worker(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_jobs_come_back_within_5_s_on_postgres() {
    parked_jobs_come_back_with_a_capable_worker(postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_jobs_come_back_within_5_s_on_mysql() {
    parked_jobs_come_back_with_a_capable_worker(mysql().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_rolls_on_sqlite() {
    a_deploy_rolls(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_rolls_on_postgres() {
    a_deploy_rolls(postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_rolls_on_mysql() {
    a_deploy_rolls(mysql().await).await;
}
