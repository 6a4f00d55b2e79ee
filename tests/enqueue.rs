//! Enqueueing and looking after jobs: what a second call, a pause, a key or a hook comes to.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use djob::{BoxError, Client, Event, Hooks, JobContext, JobId, JobState, State, Worker, job};

use crate::common::{Database, TallyJob, count, eventually, mysql, postgres, runs, sqlite};

#[job]
async fn echo(text: String) -> Result<usize, BoxError> {
    Ok(text.len())
}

#[job(retries = 0, unique = |job| job.account.to_string())]
async fn charge(account: u32) -> Result<(), BoxError> {
    Err(format!("account {account} has no money").into())
}

#[job]
async fn stroll(ctx: &JobContext, text: String) {
    ctx.progress(0.25);
    ctx.progress(0.5);
    let _ = text;
    ctx.cancelled().await;
}

async fn on_all(test: impl AsyncFn(&Database)) {
    test(&sqlite().await).await;
    test(&postgres().await).await;
    test(&mysql().await).await;
}

async fn work_off(client: &Client) {
    Worker::new(client).only([echo.def(), charge.def()]).work_off().await.unwrap();
}

#[tokio::test]
async fn a_call_repeated_with_the_same_id_names_the_same_job_in_whatever_room_it_is() {
    on_all(async |database| {
        let client = &database.client;
        let id = JobId::new();
        let call = async || echo.perform_later("once".into()).id(id).on(client).await.unwrap();
        assert!(!call().await.is_duplicate());
        assert!(call().await.is_duplicate(), "while it waits");
        work_off(client).await;
        assert!(call().await.is_duplicate(), "when it is finished");
        assert_eq!(call().await.id(), id);
        work_off(client).await;
        assert_eq!(count(client, JobState::Completed).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_unique_key_is_free_again_when_its_job_is_finished_cancelled_deleted_or_cleared() {
    on_all(async |database| {
        let client = &database.client;
        let enqueue = async || charge.perform_later(7).on(client).await.unwrap();
        let first = enqueue().await;
        assert!(enqueue().await.is_duplicate());
        assert_eq!(enqueue().await.id(), first.id());
        work_off(client).await;
        let second = enqueue().await;
        assert!(!second.is_duplicate(), "finished");
        second.cancel().await.unwrap();
        let third = enqueue().await;
        assert!(!third.is_duplicate(), "cancelled");
        client.delete(third.id()).await.unwrap();
        assert!(!enqueue().await.is_duplicate(), "deleted");
        assert_eq!(client.clear(None).await.unwrap(), 1);
        assert!(!enqueue().await.is_duplicate(), "cleared");
        // A job that is tried again takes its key again.
        client.clear(Some("default")).await.unwrap();
        assert!(client.retry(first.id()).await.unwrap());
        assert!(enqueue().await.is_duplicate(), "retried");
    })
    .await;
}

/// Counts its calls, and panics in the first.
#[derive(Clone, Debug, Default)]
struct Nervous(Arc<Mutex<Vec<&'static str>>>);

impl Nervous {
    fn note(&self, call: &'static str) {
        self.0.lock().unwrap().push(call);
    }
}

impl Hooks for Nervous {
    fn enqueue(&self, _: &djob::NewJob) {
        self.note("enqueue");
        panic!("nervous");
    }
    fn before(&self, _: &JobContext) {
        self.note("before");
    }
    fn success(&self, _: &JobContext) {
        self.note("success");
    }
    fn error(&self, _: &JobContext, _: &str) {
        self.note("error");
    }
    fn failure(&self, _: &JobContext, _: &str) {
        self.note("failure");
    }
    fn after(&self, _: &JobContext) {
        self.note("after");
    }
}

#[tokio::test]
async fn a_hook_that_panics_harms_nobody_and_jobs_that_run_at_once_have_hooks_too() {
    let hooks = Nervous::default();
    let client = Client::builder().hooks(hooks.clone()).connect("sqlite::memory:").await.unwrap();
    client.migrate().await.unwrap();
    echo.perform_later("hooked".into()).on(&client).await.unwrap();
    work_off(&client).await;
    assert_eq!(std::mem::take(&mut *hooks.0.lock().unwrap()), ["enqueue", "before", "success", "after"]);
    let at_once = client.inline(State::new());
    let error = charge.perform_later(1).on(&at_once).await.unwrap_err();
    assert_eq!(error.to_string(), "job \"charge\" ran at once and went wrong: account 1 has no money");
    assert_eq!(*hooks.0.lock().unwrap(), ["enqueue", "before", "error", "failure", "after"]);
    at_once.enqueue_all([EchoJob { text: "many".into() }]).await.unwrap();
    assert_eq!(client.counts().await.unwrap().len(), 1, "nothing was stored but the first job");
}

#[tokio::test]
async fn nothing_is_claimed_from_a_paused_queue_until_it_is_resumed() {
    on_all(async |database| {
        let client = &database.client;
        assert!(client.pause("default").await.unwrap());
        assert!(!client.pause("default").await.unwrap(), "it was paused before");
        assert!(
            client.pause("Not A Queue").await.unwrap_err().to_string().contains("is not a name for a queue")
        );
        echo.perform_later("later".into()).on(client).await.unwrap();
        work_off(client).await;
        assert_eq!(count(client, JobState::Ready).await, 1);
        assert_eq!(client.paused().await.unwrap(), ["default"]);
        assert!(client.resume("default").await.unwrap());
        assert!(!client.resume("default").await.unwrap(), "it was not paused");
        work_off(client).await;
        assert_eq!(count(client, JobState::Completed).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_running_job_shows_its_progress_and_its_args_and_stops_when_it_is_cancelled() {
    on_all(async |database| {
        let client = &database.client;
        let text = "x".repeat(5000);
        let job = stroll.perform_later(text.clone()).on(client).await.unwrap();
        let mut events = client.events();
        let finished = async {
            let settled = |event: &Event| match event {
                Event::Settled { state, .. } if state.is_final() => Some(*state),
                _ => None,
            };
            events.until(settled).await
        };
        let watch = async {
            let shown = async || client.find(job.id()).await.unwrap().unwrap().progress == Some(0.5);
            eventually("the progress shows", Duration::from_secs(20), shown).await;
            let row = client.find(job.id()).await.unwrap().unwrap();
            assert_eq!((row.state, row.args), (JobState::Running, format!("{{\"text\":\"{text}\"}}")));
            assert_eq!(job.cancel().await.unwrap(), djob::Cancelled::Asked);
            finished.await
        };
        let ended = Arc::new(Mutex::new(None));
        let worker = Worker::new(client).only([stroll.def()]);
        worker.run_until(async { *ended.lock().unwrap() = watch.await }).await.unwrap();
        // It heard the sign to stop and returned by itself, which is a success.
        assert_eq!(*ended.lock().unwrap(), Some(JobState::Completed));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_worker_finishes_what_runs_claims_no_more_and_stays() {
    let database = sqlite().await;
    let client = &database.client;
    client.enqueue_all((0..4).map(|number| TallyJob { number, sleep_ms: 200 })).await.unwrap();
    let mut worker = database.worker(&[("CONCURRENCY", "2")]);
    eventually("jobs run", Duration::from_secs(20), async || runs(&database.ledger()).len() >= 2).await;
    worker.signal("TSTP");
    let quiet = async || count(client, JobState::Running).await == 0;
    eventually("what runs is finished", Duration::from_secs(20), quiet).await;
    client.enqueue_all((4..6).map(|number| TallyJob { number, sleep_ms: 0 })).await.unwrap();
    assert!(worker.0.try_wait().unwrap().is_none(), "it stays");
    assert!(count(client, JobState::Ready).await >= 2, "and claims no more");
    worker.signal("TERM");
    worker.accepted();
}

#[tokio::test]
async fn one_refused_job_does_not_fail_those_that_share_its_statement() {
    let database = sqlite().await;
    let client = &database.client;
    let id = JobId::new();
    let stored = Arc::new(AtomicU32::new(0));
    let calls = (0..50_u32).map(|n| {
        let (client, stored) = (client.clone(), stored.clone());
        async move {
            let call = echo.perform_later(format!("{n}"));
            let call = if n % 10 == 0 { call.id(id) } else { call };
            if !call.on(&client).await.unwrap().is_duplicate() {
                stored.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let mut all: Vec<_> = calls.map(Box::pin).collect();
    std::future::poll_fn(|cx| {
        all.retain_mut(|call| call.as_mut().poll(cx).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    assert_eq!(stored.load(Ordering::Relaxed), 46, "five calls name one job");
    assert_eq!(count(client, JobState::Ready).await, 46);
}
