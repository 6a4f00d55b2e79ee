//! Hooks and layers: delayed_job's lifecycle, in its order.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use djob::{Attempted, BoxError, Client, Directive, Hooks, JobContext, JobState, NewJob, Next, Worker, job};

use super::super::subject::*;

/// What happened, in order.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    /// What happened since it was read last.
    fn read(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Hooks for Log {
    fn enqueue(&self, job: &NewJob) {
        self.add(format!("enqueue {}", job.kind));
    }
    fn before(&self, ctx: &JobContext) {
        self.add(format!("before {}", ctx.attempt()));
    }
    fn success(&self, _: &JobContext) {
        self.add("success");
    }
    fn error(&self, _: &JobContext, error: &str) {
        self.add(format!("error {error}"));
    }
    fn failure(&self, _: &JobContext, error: &str) {
        self.add(format!("failure {error}"));
    }
    fn after(&self, _: &JobContext) {
        self.add("after");
    }
}

#[job(name = "conformance.hooked", retries = 1, backoff = "fixed 1s")]
async fn hooked(ctx: &JobContext, how: String) -> Result<(), BoxError> {
    ctx.state::<Log>()?.add("run");
    match how.as_str() {
        "well" => Ok(()),
        "snooze" => Err(Directive::snooze(HOUR).into()),
        _ => Err("wrong".into()),
    }
}

/// A client with a log as its hooks, and a worker of it.
fn logged(subject: &Subject) -> (Client, Log, impl Fn() -> Worker) {
    let log = Log::default();
    let client = Client::builder().hooks(log.clone()).storage(subject.storage().clone());
    let worker = {
        let (client, log) = (client.clone(), log.clone());
        move || Worker::new(&client).only([hooked.def()]).state(log.clone())
    };
    (client, log, worker)
}

pub async fn on_success_before_run_success_after(subject: &Subject) -> Checked {
    let (client, log, worker) = logged(subject);
    hooked.perform_later("well".into()).on(&client).await?;
    assert_eq!(log.read(), ["enqueue conformance.hooked"]);
    worker().work_off().await?;
    assert_eq!(log.read(), ["before 1", "run", "success", "after"]);
    Ok(())
}

pub async fn on_an_error_before_run_error_after_and_failure_with_the_last(subject: &Subject) -> Checked {
    let (client, log, worker) = logged(subject);
    hooked.perform_later("wrong".into()).on(&client).await?;
    log.read();
    worker().work_off().await?;
    assert_eq!(log.read(), ["before 1", "run", "error wrong", "after"]);
    subject.advance(Duration::from_secs(2));
    worker().work_off().await?;
    assert_eq!(log.read(), ["before 2", "run", "error wrong", "failure wrong", "after"]);
    Ok(())
}

pub async fn a_snooze_is_neither_success_nor_error(subject: &Subject) -> Checked {
    let (client, log, worker) = logged(subject);
    hooked.perform_later("snooze".into()).on(&client).await?;
    log.read();
    worker().work_off().await?;
    assert_eq!(log.read(), ["before 1", "run", "after"]);
    Ok(())
}

pub async fn a_job_that_is_parked_was_never_a_success(subject: &Subject) -> Checked {
    let (_, log, worker) = logged(subject);
    subject.put(NewJob { kind: "conformance.hooked".into(), args: "{}".to_owned(), ..job() }).await?;
    worker().work_off().await?;
    assert!(!log.read().iter().any(|what| what == "success" || what == "run"));
    Ok(())
}

pub async fn hooks_of_the_client_come_before_those_of_the_worker(subject: &Subject) -> Checked {
    #[derive(Debug)]
    struct Second(Log);
    impl Hooks for Second {
        fn before(&self, _: &JobContext) {
            self.0.add("second");
        }
    }
    let (client, log, worker) = logged(subject);
    hooked.perform_later("well".into()).on(&client).await?;
    worker().hooks(Second(log.clone())).work_off().await?;
    assert_eq!(log.read()[1..], ["before 1", "second", "run", "success", "after"]);
    Ok(())
}

pub async fn a_hook_that_panics_harms_nobody(subject: &Subject) -> Checked {
    #[derive(Debug)]
    struct Panics;
    impl Hooks for Panics {
        fn before(&self, _: &JobContext) {
            panic!("in a hook, on purpose");
        }
        fn failure(&self, _: &JobContext, _: &str) {
            panic!("in a hook, on purpose");
        }
    }
    let (client, log, worker) = logged(subject);
    let well = hooked.perform_later("well".into()).on(&client).await?;
    let wrong = hooked.perform_later("wrong".into()).retries(0).on(&client).await?;
    worker().hooks(Panics).concurrency(1).work_off().await?;
    assert_eq!(well.status().await?, Some(JobState::Completed));
    assert_eq!(wrong.status().await?, Some(JobState::Failed));
    assert!(log.read().contains(&"success".to_owned()), "other hooks are called");
    Ok(())
}

pub async fn layers_lie_around_the_job_the_first_one_outermost(subject: &Subject) -> Checked {
    let (client, log, worker) = logged(subject);
    let layer = |name: &'static str| {
        let log = log.clone();
        move |ctx: JobContext, next: Next| {
            let log = log.clone();
            async move {
                log.add(format!("{name} in"));
                let attempted = next.run(&ctx).await;
                log.add(format!("{name} out"));
                attempted
            }
        }
    };
    hooked.perform_later("well".into()).on(&client).await?;
    log.read();
    worker().layer(layer("outer")).layer(layer("inner")).work_off().await?;
    assert_eq!(
        log.read(),
        ["before 1", "outer in", "inner in", "run", "inner out", "outer out", "success", "after"]
    );
    Ok(())
}

pub async fn a_layer_may_stand_in_for_the_job(subject: &Subject) -> Checked {
    async fn instead(_: JobContext, _: Next) -> Attempted {
        Ok(Some("\"instead\"".to_owned()))
    }
    let (client, log, worker) = logged(subject);
    let job = hooked.perform_later("wrong".into()).on(&client).await?;
    worker().layer(instead).work_off().await?;
    assert_eq!(subject.row(job.id()).await?.result.as_deref(), Some("\"instead\""));
    assert!(!log.read().contains(&"run".to_owned()));
    Ok(())
}
