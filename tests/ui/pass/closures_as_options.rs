//! Options that are computed from the arguments of each job, by closures and by paths.

use std::time::Duration;

use djob::{Job as _, job};

#[job(
    queue = |job| if job.rows > 1000 { "bulk" } else { "default" },
    priority = |job| i16::try_from(job.rows / 100).unwrap_or(i16::MAX),
    delay = |job| Duration::from_secs(job.rows),
    unique = |job| format!("import:{}", job.file),
)]
pub async fn import(file: &str, rows: u64) {
    let _ = (file, rows);
}

mod policy {
    use super::ReportJob;

    pub(super) fn queue(job: &ReportJob) -> String {
        format!("tenant.{}", job.tenant)
    }

    pub(super) fn key(job: &ReportJob) -> String {
        job.tenant.to_string()
    }
}

#[job(queue = policy::queue, unique = policy::key)]
async fn report(tenant: u32) {
    let _ = tenant;
}

macro_rules! job_in {
    ($queue:literal, $retries:expr, $pick:expr, $name:ident) => {
        #[job(queue = $queue, retries = $retries, priority = $pick)]
        async fn $name(id: i64) {
            let _ = id;
        }
    };
}

job_in!("nightly", 3, |job| if job.id > 0 { 1 } else { 2 }, sweep);

fn main() {
    let job = ImportJob { file: "a.csv".to_owned(), rows: 5000 };
    assert_eq!((job.queue().as_ref(), job.priority(), job.delay()), ("bulk", 50, Duration::from_secs(5000)));
    assert_eq!(job.unique_key().as_deref(), Some("import:a.csv"));
    let job = ReportJob { tenant: 4 };
    assert_eq!((job.queue().as_ref(), job.unique_key().as_deref()), ("tenant.4", Some("4")));
    assert_eq!((report.def().queue, report.def().priority), ("default", 0));
    assert_eq!((sweep.def().queue, sweep.def().retries), ("nightly", 3));
    let _ = import;
}
