//! The same world under the same names: a state is written in one way only, so that worlds that differ in nothing but the
//! order of a list or the size of a number are explored once. That also keeps their number finite.

use std::collections::BTreeSet;

use super::state::{ClaimEnd, Fence, Id, LEASE, OLD, Process, State};

impl State {
    pub fn normalized(mut self) -> Self {
        // An age matters beyond the lease only while a clock may still go back.
        let oldest = if self.left.jumps > 0 { OLD } else { LEASE };
        if self.left.jumps == 0 {
            (self.past.off_by, self.past.unheard) = (0, false);
        }
        for process in &mut self.processes {
            process.opens.sort();
            process.outbox.sort();
            process.silent = process.silent.min(LEASE);
            if !process.runs_in_quarantine() && !process.quarantine_is_unstored() {
                process.quarantine = None;
            }
        }
        self.db.waiting.sort_unstable();
        self.db.finished.sort_unstable();
        self.bury();
        self.db.living.iter_mut().for_each(|(_, age)| *age = (*age).min(oldest));
        self.processes.sort();
        self.rename_workers();
        self.rename_fences();
        self.db.claims.sort();
        self.db.living.sort_unstable();
        self
    }

    /// Rows of workers that are gone and have nothing left to rescue.
    fn bury(&mut self) {
        let at_work = |id: Id| self.processes.iter().any(|process| process.id == id);
        let holds = |id: Id| self.db.claims.iter().any(|claim| claim.worker == id);
        let kept = self.db.living.iter().copied().filter(|(id, _)| at_work(*id) || holds(*id)).collect();
        self.db.living = kept;
    }

    fn rename_workers(&mut self) {
        let mut ids: Vec<Id> = vec![0];
        let at_work = self.processes.iter().map(|process| process.id);
        let of_rows = self.db.living.iter().map(|(id, _)| *id);
        let of_claims = self.db.claims.iter().map(|claim| claim.worker);
        let of_seen =
            self.processes.iter().filter_map(|process| process.seen.as_ref().map(|claim| claim.worker));
        for id in at_work.chain(of_rows).chain(of_claims).chain(of_seen) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let name = |id: &mut Id| *id = place(&ids, *id);
        for process in &mut self.processes {
            name(&mut process.id);
            process.seen.iter_mut().for_each(|claim| name(&mut claim.worker));
        }
        self.db.living.iter_mut().for_each(|(id, _)| name(id));
        self.db.claims.iter_mut().for_each(|claim| name(&mut claim.worker));
    }

    fn rename_fences(&mut self) {
        let used = self.fences_in_use();
        let decided = |fence: Fence| if used.contains(&fence) { fence } else { 0 };
        self.past.decided.iter_mut().for_each(|fence| *fence = decided(*fence));
        // A newest fence that nothing older could be compared with is as good as none.
        let oldest = used.first().copied().unwrap_or(Fence::MAX);
        self.past.newest.iter_mut().filter(|fence| **fence < oldest).for_each(|fence| *fence = 0);
        if used.is_empty() {
            self.past.newest.iter_mut().for_each(|fence| *fence = 0);
        }
        let all: BTreeSet<Fence> =
            used.into_iter().chain(self.past.newest.iter().copied()).chain([0]).collect();
        let all: Vec<Fence> = all.into_iter().collect();
        let name = |fence: &mut Fence| *fence = place(&all, *fence);
        self.past.newest.iter_mut().chain(&mut self.past.decided).for_each(name);
        self.db.claims.iter_mut().for_each(|claim| name(&mut claim.fence));
        for process in &mut self.processes {
            process.opens.iter_mut().for_each(|open| name(&mut open.fence));
            process.outbox.iter_mut().for_each(|end: &mut ClaimEnd| name(&mut end.fence));
            process.coming.iter_mut().for_each(|(fence, _)| name(fence));
            process.quarantine.iter_mut().for_each(name);
            process.seen.iter_mut().for_each(|claim| name(&mut claim.fence));
            process.doubted = process.doubted.iter().map(|fence| place(&all, *fence)).collect();
        }
    }

    /// Every fence that somebody could still show.
    fn fences_in_use(&mut self) -> BTreeSet<Fence> {
        let of_claims: BTreeSet<Fence> = self.db.claims.iter().map(|claim| claim.fence).collect();
        let mut used = of_claims.clone();
        for process in &mut self.processes {
            // What is doubted and not there any more is forgotten at the next look.
            process.doubted.retain(|fence| of_claims.contains(fence));
            let Process { opens, outbox, coming, seen, .. } = process;
            used.extend(opens.iter().map(|open| open.fence));
            used.extend(outbox.iter().map(|end| end.fence));
            used.extend(coming.iter().map(|(fence, _)| *fence));
            used.extend(seen.iter().map(|claim| claim.fence));
        }
        used
    }

    pub fn next_fence(&mut self) -> Fence {
        let newest = self.past.newest.iter().copied().max().unwrap_or(0);
        self.fences_in_use().last().copied().unwrap_or(0).max(newest) + 1
    }

    pub fn next_id(&self) -> Id {
        let at_work = self.processes.iter().map(|process| process.id);
        let of_claims = self.db.claims.iter().map(|claim| claim.worker);
        let of_rows = self.db.living.iter().map(|(id, _)| *id);
        let of_seen =
            self.processes.iter().filter_map(|process| process.seen.as_ref().map(|claim| claim.worker));
        at_work.chain(of_claims).chain(of_rows).chain(of_seen).max().unwrap_or(0) + 1
    }

    /// Whether all jobs are finished.
    pub fn is_done(&self) -> bool {
        (0..self.jobs).all(|job| self.db.is_finished(job))
    }
}

fn place<T: PartialEq>(names: &[T], name: T) -> u8 {
    names.iter().position(|other| *other == name).map_or(0, |place| u8::try_from(place).unwrap_or(u8::MAX))
}
