//! `assert_enqueued!` and `refute_enqueued!`.

use std::time::Duration;

use djob::job;
use djob_testing::assert::{self, Wanted};
use djob_testing::{Harness, assert_enqueued, refute_enqueued};

#[job(queue = "mail", priority = 10)]
async fn send_welcome(user_id: i64, email: String, locale: Option<String>) {
    drop((user_id, email, locale));
}

fn welcome(user_id: i64, email: &str) -> SendWelcomeJob {
    SendWelcomeJob { user_id, email: email.into(), locale: None }
}

async fn harness() -> Harness {
    let harness = Harness::new().await;
    let stored =
        harness.client().enqueue_all([welcome(7, "ada@example.org"), welcome(8, "bob@example.org")]).await;
    stored.unwrap();
    harness
}

#[tokio::test]
async fn a_job_is_found_by_all_some_or_none_of_its_arguments() {
    let harness = harness().await;
    assert_enqueued!(harness, SendWelcomeJob { user_id: 7, email: "ada@example.org".into(), locale: None });
    assert_enqueued!(harness.client(), SendWelcomeJob, { "user_id": 8, "locale": null });
    assert_enqueued!(harness, self::SendWelcomeJob, count = 2,);
}

#[tokio::test]
async fn queue_priority_time_and_count_are_part_of_what_is_wanted() {
    let harness = harness().await;
    send_welcome
        .perform_later(9, "c@d".into(), None)
        .delay(Duration::from_secs(60))
        .on(harness.client())
        .await
        .unwrap();
    assert_enqueued!(harness, SendWelcomeJob, { "user_id": 9 }, queue = "mail", priority = 10, count = 1);
    assert_enqueued!(harness, SendWelcomeJob, count = 2, within = Duration::from_secs(59));
    assert_enqueued!(harness, SendWelcomeJob, count = 3, within = Duration::from_secs(60));
}

#[tokio::test]
async fn what_is_not_there_can_be_refuted() {
    let harness = harness().await;
    refute_enqueued!(harness, SendWelcomeJob { user_id: 9, email: "x@y".into(), locale: None });
    refute_enqueued!(harness, SendWelcomeJob, { "user_id": 7, "email": "bob@example.org" });
    refute_enqueued!(harness, SendWelcomeJob, queue = "default");
}

#[tokio::test]
async fn a_finished_job_is_enqueued_no_more() {
    let harness = harness().await.only([send_welcome.def()]);
    harness.run_due().await;
    refute_enqueued!(harness, SendWelcomeJob);
    let report = assert::enqueued(&harness, Wanted::any::<SendWelcomeJob>()).await.unwrap_err();
    assert!(report.contains("✗ state     completed          wanted ready or scheduled"), "{report}");
}

#[tokio::test]
async fn a_report_shows_each_job_of_the_kind_and_marks_where_it_differs() {
    let harness = harness().await;
    let wanted = Wanted::exactly(&welcome(7, "bob@example.org")).queue("bulk");
    let report = assert::enqueued(&harness, wanted).await.unwrap_err();
    let lines: Vec<&str> = report.lines().filter(|line| !line.contains("  job ")).collect();
    assert_eq!(
        lines,
        [
            "no job of the kind \"send_welcome\" waits to be run as wanted",
            "",
            "  wanted",
            "    queue     bulk",
            "    /email    \"bob@example.org\"",
            "    /locale   null",
            "    /user_id  7",
            "",
            "    state     ready",
            "  ✗ queue     mail               wanted bulk",
            "    priority  10",
            "    due       now",
            "  ✗ /email    \"ada@example.org\"  wanted \"bob@example.org\"",
            "    /locale   null",
            "    /user_id  7",
            "",
            "    state     ready",
            "  ✗ queue     mail               wanted bulk",
            "    priority  10",
            "    due       now",
            "    /email    \"bob@example.org\"",
            "    /locale   null",
            "  ✗ /user_id  8                  wanted 7",
        ],
        "{report}"
    );
}

#[tokio::test]
async fn a_report_names_what_is_missing_and_what_is_too_much() {
    let harness = harness().await;
    let wanted = Wanted::with::<SendWelcomeJob>(serde_json::json!({ "user_id": 7, "country": "fr" }));
    let report = assert::enqueued(&harness, wanted).await.unwrap_err();
    assert!(report.contains("✗ /country  missing"), "{report}");
    let report = assert::enqueued(&harness, Wanted::any::<SendWelcomeJob>().count(3)).await.unwrap_err();
    assert!(
        report.starts_with("3 jobs of the kind \"send_welcome\" should wait to be run as wanted, and 2 do"),
        "{report}"
    );
    let report = assert::not_enqueued(&harness, Wanted::any::<SendWelcomeJob>()).await.unwrap_err();
    assert!(
        report.starts_with("no job of the kind \"send_welcome\" should wait to be run like this, and 2 do"),
        "{report}"
    );
}

#[tokio::test]
#[should_panic(expected = "there is no job of this kind at all")]
async fn the_macro_panics_with_the_report() {
    let harness = Harness::new().await;
    assert_enqueued!(harness, SendWelcomeJob, queue = "mail");
}
