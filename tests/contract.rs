//! The contract by the roads that strangers take: what `djob enqueue` takes and refuses, what `djob contract` says before a
//! deploy. The programs are the shop before a deploy and after it: see `shop/`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use djob::{Due, JobId, JobState, Meta, NewJob};

use crate::common::{Database, count, mysql, postgres, sqlite};

const OLD: &str = env!("CARGO_BIN_EXE_shop-old");
const NEW: &str = env!("CARGO_BIN_EXE_shop-new");

struct Said {
    code: i32,
    out: String,
    err: String,
}

/// Runs a command line, with this on its stdin.
fn run(mut command: Command, stdin: &[u8]) -> Said {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Whoever refuses what it reads may end before it has read all of it.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

impl Database {
    fn says(&self, program: &str, args: &[&str]) -> Said {
        self.says_to(program, args, b"")
    }

    fn says_to(&self, program: &str, args: &[&str], stdin: &[u8]) -> Said {
        let mut command = Command::new(program);
        command.args(args).env_clear().env("DATABASE_URL", &self.url).env("LEDGER", self.ledger());
        run(command, stdin)
    }

    /// A worker of the new code has been there, and has published.
    fn publish(&self) {
        assert_eq!(self.says(NEW, &["workoff"]).code, 0);
    }
}

/// A program that does not have the code of a job enqueues it all the same.
async fn jobs_are_enqueued_without_their_code(database: Database) {
    let unknown = database.says(OLD, &["enqueue", "report", r#"{"number":1}"#]);
    assert_eq!((unknown.code, unknown.out.as_str()), (3, ""), "{}", unknown.err);
    database.publish();
    let near = database.says(OLD, &["enqueue", "repotr", r#"{"number":1}"#]);
    assert!(near.code == 3 && near.err.contains("did you mean \"report\"?"), "{}", near.err);

    let one = database.says(OLD, &["enqueue", "report", r#"{"number":1}"#]);
    assert!(
        one.code == 0 && one.out.starts_with("enqueued ") && one.out.ends_with("(report) in queue default\n"),
        "{}",
        one.out
    );
    let stdin = database.says_to(OLD, &["enqueue", "report", "-", "--unique", "two"], br#" {"number":2} "#);
    assert_eq!(stdin.code, 0, "{}", stdin.err);
    let again = database.says(OLD, &["enqueue", "report", r#"{"number":2}"#, "--unique", "two"]);
    assert!(again.code == 0 && again.out.contains("is there already"), "{}", again.out);
    let file = database.folder.path().join("args.json");
    std::fs::write(&file, r#"{"number":3,"name":"Ada"}"#).unwrap();
    let named =
        database.says(OLD, &["enqueue", "send_welcome", &format!("@{}", file.display()), "--tag", "vip"]);
    assert_eq!(named.code, 0, "{}", named.err);
    // By its former name, too.
    assert_eq!(database.says(OLD, &["enqueue", "tidy_up", r#"{"number":4}"#]).code, 0);

    let lines: Vec<u8> = (10..2510).flat_map(|n| format!("{{\"number\":{n}}}\n").into_bytes()).collect();
    let many = database.says_to(OLD, &["enqueue", "report", "--lines", "-"], &lines);
    assert_eq!((many.code, many.out.as_str()), (0, "enqueued 2500 jobs (report)\n"), "{}", many.err);
    let broken = [&lines[..], b"{\"number\":\"s3cret\"}\n"].concat();
    let broken = database.says_to(OLD, &["enqueue", "report", "--lines", "-"], &broken);
    assert_eq!(broken.code, 5);
    assert_eq!(
        broken.err,
        "error: line 2501: job \"report\" was refused: /number: must be of the type integer (lines 1 to 2000 are stored; \
         mend it and go on from line 2001)\n"
    );

    database.publish();
    assert_eq!(count(&database.client, JobState::Completed).await, 4504);
    let ledger = std::fs::read_to_string(database.ledger()).unwrap();
    for line in
        ["report 1 new -", "report 2 new -", "send_welcome 3 new Ada", "sweep 4 new -", "report 2509 new -"]
    {
        assert!(ledger.lines().any(|run| run == line), "{line}");
    }
}

/// What a stranger can get wrong, and what is said about it. The place and the rule, never the value.
async fn bad_input_is_refused_by_its_place(database: Database) {
    database.publish();
    let large = format!(r#"{{"number":1,"name":"{}"}}"#, "s3cret".repeat(100_000));
    let deep = format!(r#"{{"number":1,"name":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let deeper = format!(r#"{{"number":1,"name":{}"#, "[".repeat(100_000));
    let (welcome, bill) = ("send_welcome", "bill");
    for (kind, args, said) in [
        (welcome, "{}", "/name: is missing; /number: is missing"),
        (welcome, r#"{"number":1,"name":"a","x":"s3cret"}"#, "/x: is not an argument of the job"),
        (welcome, r#"{"number":1,"name":null}"#, "/name: must be of the type string"),
        (welcome, r#"{"number":"s3cret","name":"a"}"#, "/number: must be of the type integer"),
        (welcome, r#"{"number":[1],"name":"a"}"#, "/number: must be of the type integer"),
        (welcome, r#"{"number":1.5,"name":"a"}"#, "/number: must be of the type integer"),
        (welcome, r#"{"number":-1,"name":"a"}"#, "/number: must be at least 0"),
        (welcome, r#"{"number":18446744073709551616,"name":"a"}"#, "/number: must be "),
        (welcome, r#"{"number":1e999,"name":"a"}"#, "/number: not valid JSON at line 1, column 15"),
        (welcome, r#"{"number":NaN,"name":"a"}"#, "/number: not valid JSON at line 1, column 11"),
        (welcome, r#"{"number":1,"number":2,"name":"a"}"#, "/number: is there twice: keep one"),
        (
            welcome,
            r#"{"number":1,"name":"\u0000"}"#,
            "arguments: hold a NUL character, which no database here can store",
        ),
        (welcome, r#"{"number":1,"name":"\ud800"}"#, "/name: not valid JSON at line 1, column 27"),
        (welcome, r#"{"number":1,"name":"s3cret"#, "/name: not valid JSON at line 1, column 26"),
        (welcome, r#"[1,"s3cret"]"#, "arguments: must be a JSON object with one key for each argument"),
        (welcome, r#""s3cret""#, "arguments: must be a JSON object with one key for each argument"),
        (welcome, "", "arguments: must be a JSON object with one key for each argument"),
        (welcome, &large, "arguments: take more than 262144 bytes|arguments: take 263168 bytes"),
        (welcome, &deep, "arguments: are nested more than 64 levels deep"),
        (welcome, &deeper, "arguments: are nested more than 64 levels deep"),
        (
            bill,
            r#"{"number":1,"payment":"s3cret"}"#,
            r#"/payment: must be one of ["card","invoice","voucher"]"#,
        ),
        (bill, r#"{"number":1,"payment":{"Card":null}}"#, r#"/payment: must be "#),
    ] {
        let refused = database.says_to(OLD, &["enqueue", kind, "-"], args.as_bytes());
        let error =
            refused.err.strip_prefix(&format!("error: job \"{kind}\" was refused: ")).unwrap_or(&refused.err);
        assert_eq!(refused.code, 5, "{args:.80}: {}", refused.err);
        assert!(said.split('|').any(|said| error.starts_with(said)), "{args:.80}: {error}");
        assert!(!refused.err.contains("s3cret"), "{args:.80}: {}", refused.err);
        assert_eq!(refused.err.lines().count(), 1, "{}", refused.err);
    }
    let not_utf8 = database.says_to(OLD, &["enqueue", welcome, "-"], b"{\"number\":1,\"name\":\"\xff\"}");
    assert_eq!(
        (not_utf8.code, not_utf8.err.as_str()),
        (5, "error: the arguments are not valid UTF-8: write them as UTF-8\n")
    );
    let good = r#"{"number":1,"name":"a"}"#;
    for (option, value, code) in [
        ("--queue", "Not A Name", 5),
        ("--tag", "Not A Name", 5),
        ("--priority", "70000", 2),
        ("--retries", "-1", 2),
        ("--in", "soon", 2),
        ("--at", "soon", 2),
        ("--in", "11000d", 5),
        ("--id", "s3cret", 2),
        ("--no-such-option", "1", 2),
    ] {
        let refused = database.says(OLD, &["enqueue", welcome, good, option, value]);
        assert_eq!(refused.code, code, "{option} {value}: {}", refused.err);
    }
    assert!(database.client.counts().await.unwrap().is_empty(), "nothing was stored");
}

/// What `contract` says of the shop's deploy, and of a backlog that the old code cannot read.
async fn a_deploy_is_checked_before_it_is_made(database: Database) {
    let lock = database.folder.path().join("djob.lock.json");
    let lock = lock.to_str().unwrap();
    let none = database.says(OLD, &["contract", "check", "--against", lock]);
    assert!(none.code == 2 && none.err.contains("write it with `contract lock`"), "{}", none.err);
    assert_eq!(database.says(OLD, &["contract", "lock", "--file", lock]).code, 0);
    assert_eq!(database.says(OLD, &["contract", "check", "--strict", "--against", lock]).code, 0);
    let forward = database.says(NEW, &["contract", "check", "--against", lock]);
    assert_eq!(forward.code, 0, "{}{}", forward.out, forward.err);
    assert_eq!(
        database.says(NEW, &["contract", "check", "--strict", "--against", lock]).code,
        4,
        "callers must change"
    );

    // And back: what the new code has stored is nothing that the old code reads.
    assert_eq!(database.says(NEW, &["contract", "lock", "--file", lock]).code, 0);
    let back = database.says(OLD, &["contract", "check", "--against", lock, "-o", "json"]);
    let rulings: serde_json::Value = serde_json::from_str(&back.out).unwrap();
    let breaking =
        rulings["kinds"].as_array().unwrap().iter().filter(|kind| kind["compatibility"] == "breaking");
    let mut kinds: Vec<&str> = breaking.map(|kind| kind["kind"].as_str().unwrap()).collect();
    kinds.sort();
    assert_eq!((back.code, kinds), (4, vec!["bill", "remind", "report", "send_welcome", "sweep"]));
    let refused = database.says(OLD, &["contract", "lock", "--file", lock]);
    assert!(
        refused.code == 4 && refused.err.ends_with("to write it down all the same: contract lock --accept\n"),
        "{}",
        refused.err
    );

    assert_eq!(database.says(OLD, &["seed", "0", "30"]).code, 0);
    let probed = database.says(NEW, &["contract", "probe", "--all"]);
    assert_eq!(probed.code, 0, "{}{}", probed.out, probed.err);
    assert_eq!(database.says(NEW, &["seed", "100", "130"]).code, 0);
    let probed = database.says(OLD, &["contract", "probe", "-o", "json"]);
    let kinds: serde_json::Value = serde_json::from_str(&probed.out).unwrap();
    let seen: Vec<(String, u64, u64, u64)> = kinds["kinds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| {
            let number = |name: &str| kind[name].as_u64().unwrap();
            (kind["kind"].as_str().unwrap().to_owned(), number("version"), number("jobs"), number("readable"))
        })
        .collect();
    let of = |kind: &str, version, jobs, readable| (kind.to_owned(), version, jobs, readable);
    assert_eq!(
        seen,
        [
            of("bill", 1, 30, 30),
            of("bill", 2, 30, 0),
            of("remind", 1, 30, 30),
            of("remind", 2, 30, 0),
            of("report", 1, 30, 0),
            of("resize", 1, 60, 60),
            of("send_welcome", 1, 30, 30),
            of("send_welcome", 2, 30, 0),
            of("sweep", 1, 30, 0),
            of("tidy_up", 1, 30, 30),
        ]
    );
    assert_eq!((probed.code, &kinds["ok"], &kinds["whole"]), (4, &false.into(), &true.into()));
    assert_eq!(count(&database.client, JobState::Ready).await, 330, "nothing was changed");
}

/// Jobs that broke their contract: why, what mends them, and how those are let go that nobody will mend.
async fn parked_jobs_are_seen_mended_and_let_go(database: Database) {
    database.publish();
    let smuggled = |kind: &'static str, args: &str| NewJob {
        id: JobId::new(),
        id_given: false,
        kind: kind.into(),
        queue: "default".into(),
        priority: 0,
        due: Due::NOW,
        max_attempts: 25,
        args: args.to_owned(),
        meta: Meta::default(),
    };
    let [bill, report, nobody] = [
        ("bill", r#"{"number":1,"payment":"s3cret"}"#),
        ("report", r#"{"number":"s3cret"}"#),
        ("nobody", "{}"),
    ]
    .map(|(kind, args)| smuggled(kind, args));
    let (bill_id, report_id) = (bill.id.to_string(), report.id.to_string());
    database.client.enqueue_new(vec![bill, report, nobody]).await.unwrap();
    database.publish();
    let list = database.says(NEW, &["jobs", "list", "--reason", "broken_contract"]);
    assert!(
        list.out.contains("/payment: ") && list.out.contains("/number: ") && !list.out.contains("nobody"),
        "{}",
        list.out
    );
    assert!(!list.out.contains("s3cret"), "{}", list.out);

    // A job of nobody's is a matter for monitors.
    assert_eq!(database.says(NEW, &["check"]).code, 0, "not at once");
    let check = database.says(NEW, &["check", "--max-age", "0"]);
    assert!(check.code == 4 && check.err.contains("for 1 of nobody, due for up to"), "{}", check.err);

    let wrong = database.says(NEW, &["jobs", "edit", &bill_id, r#"{"number":1,"payment":"gold"}"#]);
    assert!(wrong.code == 5 && wrong.err.contains("/payment: must be one of"), "{}", wrong.err);
    let mended = database.says(NEW, &["jobs", "edit", &bill_id, r#"{"number":1,"payment":"card"}"#]);
    assert_eq!(mended.out, format!("edited {bill_id} (bill, version 2): due now\n"), "{}", mended.err);
    let kept = database.says_to(NEW, &["jobs", "edit", &report_id, "-", "--keep-parked"], br#"{"number":2}"#);
    assert_eq!(kept.out, format!("edited {report_id} (report, version 1)\n"), "{}", kept.err);
    let released = database.says(NEW, &["jobs", "retry", "--reason", "broken_contract"]);
    assert_eq!(released.out, format!("retried {report_id} (report): due now\n"), "{}", released.err);
    let let_go = database.says(NEW, &["jobs", "cancel", "--reason", "unknown_kind", "--kind", "nobody"]);
    assert!(let_go.out.ends_with("(nobody)\n"), "{}{}", let_go.out, let_go.err);
    database.publish();
    assert_eq!(count(&database.client, JobState::Completed).await, 2);
    let finished = database.says(NEW, &["jobs", "edit", &bill_id, r#"{"number":1,"payment":"card"}"#]);
    assert!(
        finished.code == 6 && finished.err.contains("only waiting and parked jobs can be edited"),
        "{}",
        finished.err
    );
    let both = database.says(NEW, &["jobs", "retry", &bill_id, "--reason", "unknown_kind"]);
    assert_eq!(both.code, 2);
}

macro_rules! on_each_database {
    ($($test:ident = $what:ident;)*) => {$(
        mod $test {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                $what(sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                $what(postgres().await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_mysql() {
                $what(mysql().await).await;
            }
        }
    )*};
}

on_each_database! {
    parked_jobs_are_seen_and_mended = parked_jobs_are_seen_mended_and_let_go;
    a_program_without_the_code_enqueues = jobs_are_enqueued_without_their_code;
    bad_input_is_refused_by_its_place_and_rule = bad_input_is_refused_by_its_place;
    a_deploy_is_checked_and_the_backlog_read_before_it_is_made = a_deploy_is_checked_before_it_is_made;
}
