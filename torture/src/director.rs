//! The director: starts the processes, makes the faults happen, heals everything in the end, and calls the checker.

mod later;
mod place;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use djob::BoxError;
use tokio::task::JoinSet;

use crate::args::{Database, Run};
use crate::bank;
use crate::checker::{self, Verdict};
use crate::database::Site;
use crate::dice::Dice;
use crate::ledger::{self, Event, Ledger};
use crate::plan::{Fault, Planned};
use crate::process::{Process, ledger_of};
use crate::progress::Progress;
use crate::proxy::Mode;

use later::Later;
use place::{Place, Start};

/// How many jobs take their worker down, of so many.
const ONE_KILLER_OF: u64 = 2500;

/// How long after its time the last fault may end, and the last job be enqueued.
const LATE: Duration = Duration::from_secs(300);

/// Everything that takes part.
struct Stage {
    run: Run,
    seed: u64,
    folder: PathBuf,
    site: Site,
    ledger: Arc<Ledger>,
    places: Vec<Place>,
    enqueuer: Enqueuer,
    /// What ends later: a stopped process goes on, a wire is whole again.
    later: Vec<(Instant, Later)>,
    /// What takes a while: restarts, looks at the database.
    tasks: JoinSet<()>,
    /// How often workers were started.
    starts: u32,
    dice: Dice,
}

/// The process that enqueues.
struct Enqueuer {
    process: Option<Process>,
    starts: u32,
    done: bool,
}

/// Runs it all; returns the verdict, and how long it took.
pub(crate) async fn direct(
    run: Run,
    seed: u64,
    plan: Vec<Planned>,
    folder: &Path,
) -> Result<Verdict, BoxError> {
    let site = Site::start(run.database, folder).await?;
    djob::connect(site.url()).await?.migrate().await?;
    site.connect().await?.execute(bank::TABLE).await?;
    site.call_witness().await?;
    let mut places = vec![];
    for _ in 0..run.workers {
        places.push(Place::new(&site).await?);
    }
    let ledger = Arc::new(Ledger::open(&ledger_of(folder, "director"), 0)?);
    let enqueuer = Enqueuer { process: None, starts: 0, done: false };
    let mut stage = Stage {
        dice: Dice::new(seed.rotate_left(17)),
        folder: folder.to_owned(),
        later: vec![],
        tasks: JoinSet::new(),
        starts: 0,
        run,
        seed,
        site,
        ledger,
        places,
        enqueuer,
    };
    let progress = Progress::new(&stage.run, seed);
    stage.perform(plan, &progress).await?;
    let well = stage.finish(&progress).await?;
    progress.clear();
    let (rooms, books) = (stage.site.rooms().await?, ledger::read_all(folder)?);
    let lease = i64::try_from(stage.run.lease().as_micros())?;
    let mut verdict = checker::judge(&books, &rooms, lease, stage.run.database == Database::Postgres);
    verdict.complaints.extend(well);
    Ok(verdict)
}

impl Stage {
    /// Faults and jobs, until the plan is over and everything is enqueued.
    async fn perform(&mut self, plan: Vec<Planned>, progress: &Progress) -> Result<(), BoxError> {
        let begin = Instant::now();
        let mut plan = plan.into_iter().peekable();
        let all = plan.len();
        loop {
            self.supervise(false)?;
            self.supervise_enqueuer()?;
            while let Some(planned) = plan.next_if(|planned| planned.after <= begin.elapsed()) {
                self.inflict(planned.fault).await;
            }
            self.end_what_is_over();
            progress.faults(all - plan.len(), all);
            if plan.peek().is_none() && self.enqueuer.done && self.later.is_empty() && self.tasks.is_empty() {
                return Ok(());
            }
            if begin.elapsed() > self.run.length() + LATE {
                return Err(
                    format!("the plan is not over {LATE:?} after its time: is the database there?").into()
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Starts what has ended: new workers in the place of dead ones, as a supervisor would.
    fn supervise(&mut self, newest: bool) -> Result<(), BoxError> {
        for place in 0..self.places.len() {
            self.notice_death(place);
            if self.places[place].wants_a_process() {
                self.start(place, newest)?;
            }
        }
        Ok(())
    }

    /// A job may have taken its worker down, or it has ended as it was told to.
    fn notice_death(&mut self, place: usize) {
        let Some(well) = self.places[place].ended() else { return };
        let (whom, at) = (self.places[place].name(), self.ledger.now());
        self.note_now(if well { "left" } else { "died" }, whom.clone());
        self.places[place].clear();
        if let Some(whom) = whom {
            self.look_at_what_it_held(whom, at);
        }
    }

    fn start(&mut self, place: usize, newest: bool) -> Result<(), BoxError> {
        self.starts += 1;
        let name = format!("worker-{:04}", self.starts);
        let start = Start {
            name: name.clone(),
            // The first one is always of the newest release, so that somebody knows the newest kind.
            old: !newest && place > 0 && self.dice.percent(30),
            // SQLite's processes share a machine, and its clock.
            skew: match self.run.database {
                Database::Sqlite => 0,
                _ => [0, 0, 3600, -3600][self.dice.below(4) as usize],
            },
            folder: &self.folder,
            concurrency: self.run.concurrency,
            lease: self.run.lease,
        };
        self.places[place].start(start)?;
        self.note_what_it_finds(place, &name);
        Ok(())
    }

    fn supervise_enqueuer(&mut self) -> Result<(), BoxError> {
        if self.enqueuer.done {
            return Ok(());
        }
        if let Some(process) = &mut self.enqueuer.process {
            if !process.has_ended() {
                return Ok(());
            }
            self.enqueuer.process = None;
        }
        let from = self.next_number()?;
        if from >= self.run.jobs {
            self.enqueuer.done = true;
            return Ok(());
        }
        self.enqueuer.starts += 1;
        let name = format!("enqueuer-{:03}", self.enqueuer.starts);
        let rate = self.run.jobs as f64 / self.run.length().as_secs_f64();
        // By the wire of the first worker: what happens to that one happens to both.
        let url = self.places[0].url().to_owned();
        let args = [
            ("url", url),
            ("seed", self.seed.to_string()),
            ("from", from.to_string()),
            ("to", self.run.jobs.to_string()),
            ("rate", format!("{:.3}", rate * 1.1)),
            ("killers", self.run.jobs.div_ceil(ONE_KILLER_OF).to_string()),
            ("jobs", self.run.jobs.to_string()),
        ];
        self.enqueuer.process = Some(Process::start(&name, "enqueue", &self.folder, &args, None)?);
        Ok(())
    }

    /// The number after the last one that any enqueuer wrote down.
    fn next_number(&self) -> Result<u64, BoxError> {
        let mut next = 0;
        for start in 1..=self.enqueuer.starts {
            let path = ledger_of(&self.folder, &format!("enqueuer-{start:03}"));
            if !path.exists() {
                continue;
            }
            for event in ledger::read(&path)?.events {
                if let Event::Intent { number, .. } = event {
                    next = next.max(number + 1);
                }
            }
        }
        Ok(next)
    }

    fn note_now(&self, kind: &str, whom: Option<String>) {
        let at = self.ledger.now();
        self.ledger.note(&Event::Fault { from: at, to: at, kind: kind.into(), whom });
    }

    /// Makes a fault happen.
    async fn inflict(&mut self, fault: Fault) {
        let kind = fault.name();
        match fault {
            Fault::Kill { worker } => self.kill(worker, kind),
            Fault::KillAll => (0..self.places.len()).for_each(|place| self.kill(place, kind)),
            Fault::KillEnqueuer => {
                let Some(process) = &mut self.enqueuer.process else { return };
                process.kill();
                let name = process.name.clone();
                self.note_now(kind, Some(name));
            }
            Fault::Stop { worker, lasts } => {
                let Some(name) = self.stop(worker).await else { return };
                // Not before it stands still: what it does until then is no recovery.
                let at = self.ledger.now();
                self.look_at_what_it_held(name.clone(), at);
                self.until(kind, Some(name.clone()), lasts);
                self.later.push((Instant::now() + lasts, Later::Continue { place: worker, name }));
            }
            Fault::Replace { worker } => {
                let Some(name) = self.places[worker].signal("TERM") else { return };
                self.note_now(kind, Some(name));
            }
            Fault::Cut { worker, lasts } => self.wire(worker, kind, Mode::Cut, lasts),
            Fault::Silence { worker, lasts } => self.wire(worker, kind, Mode::Silent, lasts),
            Fault::Slow { worker, lasts, delay } => self.wire(worker, kind, Mode::Slow(delay), lasts),
            Fault::Reset { worker } => {
                self.places[worker].wire().inspect(|wire| wire.reset());
                let Some(name) = self.places[worker].name() else { return };
                self.note_now(kind, Some(name));
            }
            Fault::DropConnections => {
                self.on_database(kind, |site| async move { site.drop_connections().await })
            }
            Fault::Restart { crash } => {
                self.on_database(kind, move |site| async move { site.restart(crash).await })
            }
            Fault::Stall { lasts } => {
                self.on_database(kind, move |site| async move { site.stall(lasts).await })
            }
            Fault::Crowd { lasts } => {
                self.on_database(kind, move |site| async move { site.crowd(lasts).await })
            }
            Fault::Migrate => self.on_database(kind, |site| async move { site.migrate().await }),
            Fault::HoldLock { lasts } => {
                self.on_database(kind, move |site| async move { site.hold_lock(lasts).await })
            }
            Fault::ReadOnly { lasts } => self.on_database(kind, move |site| async move {
                site.read_only(true).await?;
                tokio::time::sleep(lasts).await;
                writable_again(&site).await
            }),
        }
    }

    fn kill(&mut self, place: usize, kind: &str) {
        let Some(name) = self.places[place].kill() else { return };
        // Not before it is gone: what it does until then is no recovery.
        let at = self.ledger.now();
        self.note_now(kind, Some(name.clone()));
        self.look_at_what_it_held(name, at);
    }

    fn until(&self, kind: &str, whom: Option<String>, lasts: Duration) {
        let from = self.ledger.now();
        let to = from + i64::try_from(lasts.as_micros()).unwrap_or(0);
        self.ledger.note(&Event::Fault { from, to, kind: kind.into(), whom });
    }

    /// Does something to the database itself, and notes from when to when everybody could feel it.
    fn on_database<F>(&mut self, kind: &'static str, work: impl FnOnce(Site) -> F)
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let (work, ledger) = (work(self.site.clone()), self.ledger.clone());
        self.tasks.spawn(async move {
            let from = ledger.now();
            let done = work.await;
            ledger.note(&Event::Fault { from, to: ledger.now(), kind: kind.into(), whom: None });
            if let Err(error) = done {
                // It was away for another fault's sake: nothing that was promised.
                tracing::info!(kind, %error, "the fault did not happen");
            }
        });
    }

    /// Asks the database what was claimed for a process, while nobody can have rescued it yet.
    fn look_at_what_it_held(&mut self, whom: String, at: ledger::Moment) {
        let (site, ledger, patience) = (self.site.clone(), self.ledger.clone(), self.run.lease() * 2 / 5);
        self.tasks.spawn(async move {
            let look = async {
                loop {
                    match site.held_by(&whom).await {
                        Ok(held) => return held,
                        // It may be back in time.
                        Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                    }
                }
            };
            let held = tokio::time::timeout(patience, look).await;
            let Ok(held) = held else { return };
            let begun = held.iter().filter(|(_, begun)| *begun).map(|(id, _)| *id).collect();
            let ids = held.into_iter().map(|(id, _)| id).collect();
            ledger.note(&Event::Held { at, whom, ids, begun });
        });
    }

    /// Everything is well again: waits until all is worked off, and ends the workers. Returns what did not go well.
    async fn finish(&mut self, progress: &Progress) -> Result<Vec<String>, BoxError> {
        let mut complaints = vec![];
        let patience = Duration::from_secs(60).max(self.run.lease() * 10);
        let begin = Instant::now();
        for place in 1..self.places.len() {
            if self.places[place].is_old()
                && let Some(name) = self.places[place].signal("TERM")
            {
                self.note_now("end", Some(name));
            }
        }
        loop {
            self.supervise(true)?;
            let (unfinished, finished) = self.site.counts().await?;
            progress.rest(unfinished, finished);
            if unfinished == 0 {
                break;
            }
            if begin.elapsed() > patience {
                complaints
                    .push(format!("{unfinished} jobs are not finished {patience:?} after the last fault"));
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for place in 0..self.places.len() {
            if let Some(name) = self.places[place].name() {
                self.note_now("end", Some(name));
            }
            complaints.extend(self.places[place].end().await);
        }
        while self.tasks.join_next().await.is_some() {}
        Ok(complaints)
    }
}

/// Takes writes again, as soon as it can be told to: it may be away meanwhile.
async fn writable_again(site: &Site) -> Result<(), BoxError> {
    for _ in 0..100 {
        if site.read_only(false).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    site.read_only(false).await
}
