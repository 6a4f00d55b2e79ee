//! What can be wrong with the work itself, whatever the database: workers, claims, jobs that wait and that are parked.

use std::collections::BTreeMap;

use serde_json::Value;

use super::finding::{Judged, danger, ok, unknown, warning};
use super::words::{grouped, listed, many, span};
use super::{Check, Fact, Facts};
use crate::clock::micros;
use crate::limits::LEASE;
use crate::storage::statement::Statement::*;

const SECOND: i64 = 1_000_000;
/// Rescue is promised within 40 s of a worker's death.
const RESCUED: i64 = 40 * SECOND;
/// That a worker has no row at all is looked for every five minutes.
const RESCUED_OF_NOBODY: i64 = 10 * 60 * SECOND;
/// The same as for `djob check`: a ready job that waits for longer has too few workers, or none.
const READY: i64 = 300 * SECOND;
/// Long enough for a deploy to start its first worker.
const NOBODY_WORKS: i64 = 60 * SECOND;
/// A clock that is further off shows other times in logs than the database does, and is not kept by NTP.
const CLOCK: i64 = SECOND;

pub(super) const CHECKS: &[Check] = &[
    Check { name: "workers", needs: &[DOCTOR_WORKERS, LANES], judge: workers },
    Check { name: "claims", needs: &[DOCTOR_CLAIMS], judge: claims },
    Check { name: "waiting", needs: &[LANES], judge: waiting },
    Check { name: "queues", needs: &[DOCTOR_WORKERS, LANES], judge: queues },
    Check { name: "kinds", needs: &[DOCTOR_WORKERS, LANES, DOCTOR_PARKED], judge: kinds },
    Check { name: "parked", needs: &[DOCTOR_PARKED], judge: parked },
];

/// Every server's clock; SQLite's is the host's.
pub(super) fn clock(facts: &Facts) -> Option<Judged> {
    let clock = facts.one("clock")?;
    // Half of what the answer took may be the offset or the way.
    let (off, unsure) = (clock.figure.abs(), clock.age / 2);
    Some(match off - unsure > CLOCK {
        false => ok(format!("within {} of this host's", span((off + unsure).max(1000)))),
        true => warning(
            format!("{} {} this host's", span(off), if clock.figure > 0 { "ahead of" } else { "behind" }),
            "Jobs are due by the database's clock: what this host calls `in a minute` or writes into logs is off by as much.",
            "let both hosts keep their time: timedatectl set-ntp true",
        ),
    })
}

/// Whether one more process of djob's finds its connections.
pub(super) fn connections(used: i64, most: i64, wanted: i64, more: impl FnOnce(i64) -> String) -> Judged {
    let found =
        format!("{} of {} in use; djob takes up to {wanted} in each process", grouped(used), grouped(most));
    match used + wanted > most {
        false => ok(found),
        true => warning(
            found,
            "The next worker may be refused, and a worker that lost its connections may not get them back.",
            more(most + 2 * wanted),
        ),
    }
}

/// Whether somebody on the way between can read, or pose as the server. `on`: the server says that it speaks TLS.
pub(super) fn tls(facts: &Facts, on: bool, best: &str) -> Judged {
    const WHY: &str = "Whoever is on the way between reads and changes jobs and their args.";
    let mode = facts.text("ssl mode").unwrap_or_default();
    let fix = || format!("add {best} to the database's URL, and build with the feature `tls`");
    match (facts.is("local", "true"), mode) {
        (_, "VerifyFull" | "VerifyIdentity") => ok("on, and the server's name is verified"),
        (true, _) => ok("not needed: the server is on this machine"),
        (false, mode) if on || mode == "VerifyCa" || mode.starts_with("Require") => {
            warning("on, but the server's name is not verified", WHY, fix())
        }
        (false, _) => warning("off, and the server is on another machine", WHY, fix()),
    }
}

fn living<'a>(facts: &'a Facts, what: &'static str) -> impl Iterator<Item = &'a Fact> {
    facts.all(what).filter(|fact| fact.age < micros(LEASE))
}

/// For how long the first job of a lane has been due, and in which queue.
fn oldest_due(facts: &Facts) -> Option<&Fact> {
    facts.all("lane").filter(|lane| lane.age > 0).max_by_key(|lane| lane.age)
}

fn workers(facts: &Facts) -> Option<Judged> {
    let (all, living) = (facts.all("kinds").count(), living(facts, "kinds").count());
    let silent = match all - living {
        0 => String::new(),
        silent => format!(", {silent} fell silent"),
    };
    let due_for = oldest_due(facts).map_or(0, |lane| lane.age);
    Some(match (living, due_for) {
        (0, NOBODY_WORKS..) => danger(
            format!("none lives{silent}, and a job has been due for {}", span(due_for)),
            "Nothing runs, and nothing is rescued, until a worker starts.",
            "start one: my-app work",
        ),
        (0, 1..) => ok(format!("none lives{silent}; a job has been due for {}", span(due_for))),
        (0, _) => ok(format!("none lives{silent}, and no job is due")),
        (living, _) => ok(format!("{living} live{}{silent}", if living == 1 { "s" } else { "" })),
    })
}

fn claims(facts: &Facts) -> Option<Judged> {
    let orphans: Vec<&Fact> = facts
        .all("claims")
        .filter(|claims| claims.age > RESCUED)
        .chain(facts.all("claims of nobody").filter(|claims| claims.age > RESCUED_OF_NOBODY))
        .collect();
    let of = |facts: &[&Fact]| facts.iter().map(|claims| claims.figure).sum::<i64>();
    let all: Vec<&Fact> = facts.all("claims").chain(facts.all("claims of nobody")).collect();
    let Some(oldest) = orphans.iter().map(|claims| claims.age).max() else {
        return Some(ok(match of(&all) {
            0 => "none".to_owned(),
            held => format!("{}, each with a worker that lives or has only now gone", grouped(held)),
        }));
    };
    Some(danger(
        format!("{} of workers that are gone, for up to {}", many(of(&orphans), "claim"), span(oldest)),
        "Their jobs should have been rescued within 40 s, and do not run: no worker lives, or it cannot rescue them.",
        "start a worker: my-app work; if one runs, its log says `a claim is left alone` or `could not rescue a claim`, and why",
    ))
}

fn waiting(facts: &Facts) -> Option<Judged> {
    Some(match oldest_due(facts) {
        None => ok("no job is due"),
        Some(lane) if lane.age < READY => ok(format!("the oldest ready job has waited {}", span(lane.age))),
        Some(lane) => warning(
            format!("the oldest ready job has waited {}, in queue {}", span(lane.age), lane.text),
            "The workers do not keep up with this queue, or none serves it.",
            format!("give it more slots: my-app work --pool {}:20", lane.text),
        ),
    })
}

/// The names in a list that a worker has published, or those of the kinds with their versions.
fn names(list: &Fact) -> Vec<String> {
    match serde_json::from_str(&list.text) {
        Ok(Value::Array(names)) => names.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect(),
        Ok(Value::Object(versions)) => versions.into_iter().map(|(kind, _)| kind).collect(),
        _ => vec![],
    }
}

fn nobody_lives() -> Judged {
    unknown("no worker lives that would serve any", None)
}

fn queues(facts: &Facts) -> Option<Judged> {
    let served: Vec<String> = living(facts, "queues").flat_map(names).collect();
    if served.is_empty() {
        return oldest_due(facts).map(|_| nobody_lives());
    }
    let is_served = |queue: &str| served.iter().any(|name| name == "*" || name == queue);
    let due = facts.all("lane").filter(|lane| lane.age > 0 && !is_served(&lane.text));
    let (queues, age) = oldest_first(due);
    let found = format!("no living worker serves {}, for {}", listed(&queues), span(age));
    let fix = match queues.len() {
        ..=5 => format!("my-app work --queues {}", queues.join(",")),
        _ => "my-app work, which serves every queue".to_owned(),
    };
    unserved_for(age, found, fix, "each with due jobs is served")
}

/// Their names, that which has waited for longest first, and for how long it has; 0 if there are none, and at least 1.
fn oldest_first<'a>(waiting: impl Iterator<Item = &'a Fact>) -> (Vec<&'a str>, i64) {
    let mut oldest = BTreeMap::new();
    for one in waiting {
        let age = oldest.entry(one.text.as_str()).or_insert(one.age);
        *age = one.age.max(*age);
    }
    let mut sorted: Vec<(&str, i64)> = oldest.into_iter().collect();
    sorted.sort_by_key(|(_, age)| std::cmp::Reverse(*age));
    let age = sorted.first().map_or(0, |(_, age)| (*age).max(1));
    (sorted.into_iter().map(|(name, _)| name).collect(), age)
}

/// What nobody serves is a danger once it is no matter of a deploy any more.
fn unserved_for(age: i64, found: String, fix: String, well: &str) -> Option<Judged> {
    const WHY: &str = "These jobs do not run until a worker serves them.";
    Some(match age {
        ..=0 => ok(well),
        READY.. => danger(found, WHY, fix),
        _ => warning(found, WHY, fix),
    })
}

fn kinds(facts: &Facts) -> Option<Judged> {
    let served: Vec<String> = living(facts, "kinds").flat_map(names).collect();
    let all = facts.all("waiting").chain(facts.all("parked unknown_kind"));
    // One whose jobs are all ahead of their time is not served either, and will be missed then.
    let (kinds, age) = oldest_first(all.filter(|kind| !served.contains(&kind.text)));
    if living(facts, "kinds").count() == 0 {
        return (!kinds.is_empty()).then(nobody_lives);
    }
    let for_long = if age > 1 { format!(", for {}", span(age)) } else { String::new() };
    let found = format!("no living worker knows {}{for_long}", listed(&kinds));
    let fix = format!(
        "deploy workers whose code has these jobs; if none ever will: djob jobs list --kind {}, then cancel",
        kinds.first().unwrap_or(&"..")
    );
    unserved_for(age, found, fix, "each that waits is known to a living worker")
}

fn parked(facts: &Facts) -> Option<Judged> {
    let mut reasons = BTreeMap::new();
    for reason in ["unknown_kind", "newer_version", "broken_contract"] {
        let jobs: i64 = facts.all(&format!("parked {reason}")).map(|fact| fact.figure).sum();
        if jobs > 0 {
            reasons.insert(reason, jobs);
        }
    }
    if reasons.is_empty() {
        return Some(ok("none"));
    }
    let found: Vec<String> =
        reasons.iter().map(|(reason, jobs)| format!("{} {reason}", grouped(*jobs))).collect();
    Some(warning(
        listed(&found),
        "A job of an unknown kind or a newer version comes back with a worker that reads it; one that broke its contract \
         waits for you.",
        "djob jobs list --state parked; then deploy what reads them and `djob jobs retry`, or `djob jobs cancel`",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;
    use super::super::{Fact, Verdict};

    fn lane(queue: &str, age: i64) -> Fact {
        Fact::new("lane", queue).age(age)
    }

    fn worker(silent: i64) -> [Fact; 2] {
        let queues = Fact::new("queues", r#"["default"]"#).age(silent);
        [Fact::new("kinds", r#"["mail"]"#).age(silent), queues]
    }

    #[test]
    fn jobs_that_wait_without_a_living_worker_are_a_danger() {
        let verdict = |told: Vec<Fact>| finding(ANY, "workers", told).verdict;
        assert_eq!(verdict(vec![]), Verdict::Ok);
        assert_eq!(verdict(vec![lane("default", -HOUR)]), Verdict::Ok);
        assert_eq!(verdict(vec![lane("default", 10 * SECOND)]), Verdict::Ok);
        assert_eq!(verdict(vec![lane("default", HOUR)]), Verdict::Danger);
        let with = |silent| worker(silent).into_iter().chain([lane("default", HOUR)]).collect();
        assert_eq!(verdict(with(SECOND)), Verdict::Ok);
        assert_eq!(verdict(with(MINUTE)), Verdict::Danger);
    }

    #[test]
    fn claims_are_orphans_when_a_rescue_should_have_come() {
        let claims = |silent| Fact::new("claims", "w").figure(3).age(silent);
        assert_eq!(finding(ANY, "claims", [claims(35 * SECOND)]).verdict, Verdict::Ok);
        let found = finding(ANY, "claims", [claims(MINUTE), claims(SECOND)]);
        assert_eq!(
            (found.verdict, &*found.found),
            (Verdict::Danger, "3 claims of workers that are gone, for up to 1m")
        );
        let nobody = |age| Fact::new("claims of nobody", "").figure(1).age(age);
        assert_eq!(finding(ANY, "claims", [nobody(MINUTE)]).verdict, Verdict::Ok);
        assert_eq!(finding(ANY, "claims", [nobody(HOUR)]).verdict, Verdict::Danger);
    }

    #[test]
    fn the_oldest_ready_job_is_named_with_its_queue() {
        let told = [lane("default", SECOND), lane("mail", HOUR), lane("later", -HOUR)];
        let found = finding(ANY, "waiting", told);
        assert_eq!(found.verdict, Verdict::Warning);
        assert_eq!(found.found, "the oldest ready job has waited 1h, in queue mail");
    }

    #[test]
    fn a_queue_that_no_living_worker_serves_is_named() {
        let found = |age| {
            let lanes = [lane("default", HOUR), lane("mail", age), lane("later", -HOUR)];
            finding(ANY, "queues", worker(0).into_iter().chain(lanes))
        };
        assert_eq!(found(HOUR).found, "no living worker serves mail, for 1h");
        assert_eq!((found(HOUR).verdict, found(SECOND).verdict), (Verdict::Danger, Verdict::Warning));
        let many =
            ["a", "b", "c", "d", "e", "f"].into_iter().zip(1..).map(|(queue, age)| lane(queue, age * SECOND));
        let many = finding(ANY, "queues", worker(0).into_iter().chain(many));
        assert_eq!(many.found, "no living worker serves f, e, d, c, b and 1 more, for 6s");
        assert_eq!(many.fix.as_deref(), Some("my-app work, which serves every queue"));
        let all = Fact::new("queues", r#"["*"]"#);
        assert_eq!(finding(ANY, "queues", [all, lane("mail", HOUR)]).verdict, Verdict::Ok);
    }

    #[test]
    fn a_kind_that_no_living_worker_knows_is_named_wherever_its_jobs_are() {
        let found = |told: Vec<Fact>| finding(ANY, "kinds", worker(0).into_iter().chain(told));
        assert_eq!(found(vec![Fact::new("waiting", "mail").age(HOUR)]).verdict, Verdict::Ok);
        let waiting = found(vec![Fact::new("waiting", "report").age(HOUR)]);
        assert_eq!(
            (waiting.verdict, &*waiting.found),
            (Verdict::Danger, "no living worker knows report, for 1h")
        );
        assert_eq!(
            found(vec![Fact::new("parked unknown_kind", "report").age(HOUR)]).verdict,
            Verdict::Danger
        );
        let ahead = found(vec![Fact::new("waiting", "report").age(-HOUR)]);
        assert_eq!((ahead.verdict, &*ahead.found), (Verdict::Warning, "no living worker knows report"));
        let nobody = finding(ANY, "kinds", [Fact::new("waiting", "report").age(HOUR)]);
        assert_eq!(nobody.verdict, Verdict::Unknown);
    }

    #[test]
    fn parked_jobs_are_counted_by_their_reason() {
        assert_eq!(finding(ANY, "parked", []).verdict, Verdict::Ok);
        let told = [
            Fact::new("parked broken_contract", "a").figure(2),
            Fact::new("parked broken_contract", "b").figure(1),
            Fact::new("parked unknown_kind", "c").figure(4),
        ];
        let found = finding(ANY, "parked", told);
        assert_eq!((found.verdict, &*found.found), (Verdict::Warning, "3 broken_contract, 4 unknown_kind"));
    }

    #[test]
    fn a_clock_is_off_only_if_the_way_to_it_does_not_explain_it() {
        let clock = |ahead, took| {
            let mut facts = facts(ANY);
            facts.note(Fact::new("clock", "").figure(ahead).age(took));
            super::clock(&facts).unwrap().named("clock")
        };
        assert_eq!(clock(3000, 2000).found, "within 4ms of this host's");
        assert_eq!(clock(1_500_000, 2_000_000).verdict, Verdict::Ok);
        let behind = clock(-2 * HOUR, 1000);
        assert_eq!((behind.verdict, behind.found), (Verdict::Warning, "2h behind this host's".to_owned()));
    }
}
