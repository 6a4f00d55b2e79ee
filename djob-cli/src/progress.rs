//! A bar for what takes long, where it can be seen.

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(total: u64, what: &str) -> Self {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len}, {eta} left");
        // On stderr, and only if that is a terminal.
        let bar = ProgressBar::new(total).with_message(what.to_owned());
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Progress(bar)
    }

    pub(crate) fn advance(&self, by: u64) {
        self.0.inc(by);
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
