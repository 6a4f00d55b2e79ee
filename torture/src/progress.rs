//! A progress bar on a terminal, and nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Run;

pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(run: &Run, seed: u64) -> Self {
        let bar = ProgressBar::new(1);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_prefix(format!("torture {} seed {seed}", run.database.name()));
        Progress(bar)
    }

    /// So many faults have happened.
    pub(crate) fn faults(&self, done: usize, of: usize) {
        self.0.set_length(of as u64);
        self.0.set_position(done as u64);
        self.0.set_message(format!("{done}/{of} faults"));
    }

    /// The faults are over; so many jobs are not finished.
    pub(crate) fn rest(&self, unfinished: i64, finished: i64) {
        let count = |jobs: i64| u64::try_from(jobs).unwrap_or(0);
        self.0.set_length(count(unfinished) + count(finished));
        self.0.set_position(count(finished));
        self.0.set_message(format!("{unfinished} jobs left"));
    }

    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
