//! The signup application as its users meet it: the real program, its pages, its files, its signals.

#![allow(clippy::unwrap_used, reason = "what surrounds a test is a test too")]

use std::fs;
use std::path::Path;

use djob::{Client, Filter, JobState};

#[path = "signup/place.rs"]
mod place;
use place::{Place, within};

macro_rules! on_both_databases {
    ($($test:ident)*) => {
        mod on_sqlite { $(#[test] fn $test() { super::$test(&super::Place::on_sqlite()); })* }
        mod on_postgres { $(#[test] fn $test() { super::$test(&super::Place::on_postgres()); })* }
    };
}

on_both_databases! {
    a_signup_sends_a_mail_and_is_counted_once
    a_bad_address_leaves_no_user_and_no_job
    a_report_is_built_and_downloads
    another_process_works_off_what_the_web_enqueued
    what_a_visitor_types_is_text
}

const ADA: &str = "name=Ada+Lovelace&email=ada%40example.org";

fn a_signup_sends_a_mail_and_is_counted_once(place: &Place) {
    let app = place.start(&[]);
    let answer = app.post("/signup", ADA);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));

    let mail = within("the mail", || mails(place).pop().filter(|mail| mail.ends_with("here.\n")));
    assert!(mail.contains("\nTo: ada@example.org\n"), "{mail}");
    assert!(mail.contains("\nHello Ada Lovelace,\n"), "{mail}");
    let home = app.page_with("/", "Signups today: 1.");
    assert!(home.contains("<td>Ada Lovelace<td>ada@example.org<td>"), "{home}");
    app.page_with("/", ">completed</span>");

    app.stop();
    assert_eq!(mails(place).len(), 1);
}

fn a_bad_address_leaves_no_user_and_no_job(place: &Place) {
    let app = place.start(&[]);
    let answer = app.post("/signup", "name=Ada&email=ada%40%40example.org");
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("<li>email: must be an e-mail address"), "{}", answer.body);
    assert!(answer.body.contains("value=\"ada@@example.org\""), "{}", answer.body);

    assert!(app.get("/").body.contains("Nobody yet"));
    app.stop();
    assert_eq!(jobs(place), []);
    assert!(mails(place).is_empty());
}

fn a_report_is_built_and_downloads(place: &Place) {
    let app = place.start(&[]);
    app.post("/signup", ADA);
    app.post("/signup", "name=Grace+%22Amazing%22+Hopper&email=grace%40example.org");
    let answer = app.post("/reports", "");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/reports/1")));

    app.page_with("/reports/1", "href=/reports/1/download");
    let csv = app.get("/reports/1/download");
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"report-1.csv\""));
    let users =
        "1,\"Ada Lovelace\",\"ada@example.org\"\n2,\"Grace \"\"Amazing\"\" Hopper\",\"grace@example.org\"\n";
    assert_eq!(csv.body, format!("id,name,email\n{users}"));
    assert_eq!(app.get("/reports/2").status, 404);
    app.stop();
}

fn another_process_works_off_what_the_web_enqueued(place: &Place) {
    let web = place.start(&["web"]);
    web.post("/signup", ADA);
    web.post("/reports", "");
    assert!(web.get("/reports/1").body.contains(">ready</span>"));
    assert_eq!(web.get("/reports/1/download").status, 404);

    let worker = place.start(&["work"]);
    web.page_with("/reports/1", ">completed</span>");
    web.page_with("/", "Signups today: 1.");
    within("the mail", || mails(place).pop());
    worker.stop();
    web.stop();
    let completed = |kind: &str| (kind.to_owned(), JobState::Completed);
    assert_eq!(jobs(place), ["build_report", "count_signup", "send_welcome"].map(completed));
}

fn what_a_visitor_types_is_text(place: &Place) {
    let app = place.start(&["web"]);
    app.post("/signup", "name=%3Cscript%3E&email=ada%40example.org");
    let home = app.get("/").body;
    assert!(home.contains("<td>&lt;script&gt;<td>") && !home.contains("<script"), "{home}");
    app.stop();
}

fn mails(place: &Place) -> Vec<String> {
    let Ok(outbox) = fs::read_dir(place.folder().join("outbox")) else { return vec![] };
    outbox.map(|file| read(&file.unwrap().path())).collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}

/// Every job there is, by kind.
fn jobs(place: &Place) -> Vec<(String, JobState)> {
    let listed = place.block_on(async {
        let client: Client = djob::connect(&place.database_url()).await.unwrap();
        client.list(Filter::default()).await.unwrap()
    });
    let mut jobs: Vec<_> = listed.into_iter().map(|job| (job.kind, job.state)).collect();
    jobs.sort();
    jobs
}
