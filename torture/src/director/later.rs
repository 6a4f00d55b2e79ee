//! What ends later than it began: a stopped process goes on, a wire is whole again.

use std::time::{Duration, Instant};

use super::Stage;
use crate::proxy::Mode;

pub(super) enum Later {
    Continue { place: usize, name: String },
    Heal { place: usize, kind: &'static str },
}

impl Later {
    /// Whether both end the same thing: then only the last one does.
    fn is_of(&self, other: &Later) -> bool {
        match (self, other) {
            (Later::Continue { name, .. }, Later::Continue { name: other, .. }) => name == other,
            (Later::Heal { place, .. }, Later::Heal { place: other, .. }) => place == other,
            _ => false,
        }
    }
}

impl Stage {
    /// Makes a process stand still; returns which one it was. Not while it holds SQLite's write lock: nobody else could write until
    /// it goes on, which is no fault of djob's and would take all workers down.
    pub(super) async fn stop(&self, place: usize) -> Option<String> {
        for _ in 0..50 {
            let name = self.places[place].signal("STOP")?;
            if self.site.takes_writes().await {
                return Some(name);
            }
            self.places[place].go_on(&name);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        None
    }

    /// Does something to a wire for so long.
    pub(super) fn wire(&mut self, place: usize, kind: &'static str, mode: Mode, lasts: Duration) {
        let Some(wire) = self.places[place].wire() else { return };
        wire.set(mode);
        // Nobody else feels it: a fault that concerns nobody by name would excuse everybody.
        if let Some(name) = self.places[place].name() {
            self.until(kind, Some(name), lasts);
        }
        self.later.push((Instant::now() + lasts, Later::Heal { place, kind }));
    }

    /// A process that has just started feels what was done to its wire before.
    pub(super) fn note_what_it_finds(&self, place: usize, name: &str) {
        let now = Instant::now();
        for (end, later) in &self.later {
            if let Later::Heal { place: other, kind } = later
                && *other == place
            {
                self.until(kind, Some(name.to_owned()), end.saturating_duration_since(now));
            }
        }
    }

    pub(super) fn end_what_is_over(&mut self) {
        while self.tasks.try_join_next().is_some() {}
        let now = Instant::now();
        let (over, later) = std::mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= now);
        self.later = later;
        let over: Vec<(Instant, Later)> = over;
        for (_, end) in over {
            if self.later.iter().any(|(_, later)| later.is_of(&end)) {
                continue;
            }
            match end {
                Later::Continue { place, name } => self.places[place].go_on(&name),
                Later::Heal { place, .. } => {
                    self.places[place].wire().inspect(|wire| wire.set(Mode::Passes));
                }
            }
        }
    }
}
