//! The same work with a lot in the way.

use std::time::{Duration, Instant};

use djob::BoxError;

use super::worker::worker;
use crate::args::Args;
use crate::database::Database;
use crate::fill::{Fill, Room};
use crate::ledger;
use crate::progress::Progress;
use crate::report::Line;

/// How long workers have to settle down before a measurement.
const IDLE: Duration = Duration::from_secs(2);

/// What is in the way.
struct Cell {
    name: String,
    ballast: Option<(Room, u64)>,
    queues: u64,
    priorities: u64,
    workers: u32,
}

/// Drains `--jobs` in each cell, `--rounds` times in turns: as many a second as in the empty one? Counts the medians, since a
/// vacuum that comes upon one of such short runs halves its figure.
pub(crate) async fn flat(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    ledger::expect(args.jobs + args.ballast * 10);
    let mut lines = Vec::new();
    // The first is slower than any other, and not counted.
    measure(args, database, &cells(args)[0]).await?;
    let cells = cells(args);
    let mut rounds: Vec<Vec<Line>> = cells.iter().map(|_| Vec::new()).collect();
    for _ in 0..args.rounds.max(1) {
        for (cell, lines) in cells.iter().zip(&mut rounds) {
            lines.push(measure(args, database, cell).await?);
        }
    }
    for mut cell in rounds {
        cell.sort_by(|a, b| a.jobs_per_s.total_cmp(&b.jobs_per_s));
        lines.push(cell.swap_remove(cell.len() / 2));
    }
    let empty = lines.first().map_or(1.0, |line| line.jobs_per_s);
    for line in &mut lines {
        line.settings = format!("{}, {:.2} of empty", line.settings, line.jobs_per_s / empty);
    }
    Ok(lines)
}

fn cells(args: &Args) -> Vec<Cell> {
    let cell = |name: &str| Cell { name: name.into(), ballast: None, queues: 1, priorities: 1, workers: 1 };
    let behind = |room, count: u64, what: &str| Cell {
        ballast: Some((room, count)),
        ..cell(&format!("{count} {what}"))
    };
    let mut cells = vec![
        cell("empty"),
        behind(Room::Waiting, args.ballast, "waiting"),
        behind(Room::Scheduled, args.ballast, "scheduled"),
        behind(Room::Finished, args.ballast, "finished"),
        behind(Room::Parked, args.ballast, "parked that no worker reads"),
        behind(Room::Unread, args.ballast, "at the head that no worker reads"),
        Cell { queues: 100, ..cell("100 queues") },
        Cell { queues: 1000, ..cell("1000 queues") },
        Cell { priorities: 10, ..cell("10 priorities") },
        Cell { workers: 64, ..cell("64 workers") },
    ];
    if args.deep {
        cells.push(behind(Room::Waiting, args.ballast * 10, "waiting"));
    }
    cells.retain(|cell| cell.name == "empty" || cell.name.contains(&args.cell));
    cells
}

async fn measure(args: &Args, database: &Database, cell: &Cell) -> Result<Line, BoxError> {
    database.empty().await?;
    ledger::reset();
    let jobs = Fill {
        room: Room::Waiting,
        first: 0,
        count: args.jobs,
        queues: cell.queues,
        priorities: cell.priorities,
    };
    database.fill(&jobs).await?;
    if let Some((room, count)) = cell.ballast {
        database.fill(&Fill { room, first: args.jobs, count, queues: 1, priorities: 1 }).await?;
    }
    database.calm().await?;
    // The workers have started and are idle when the measurement begins.
    database.pause(cell.queues, true).await?;
    let stop = tokio_util::sync::CancellationToken::new();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..cell.workers {
        workers.spawn(worker(args, &database.client).run_until(stop.clone().cancelled_owned()));
    }
    tokio::time::sleep(IDLE).await;
    let _progress = Progress::follow(&cell.name, args.jobs, || ledger::total().0);
    let unfinished = database.unfinished().await?;
    let (before, begin) = (database.spent().await?, Instant::now());
    database.pause(cell.queues, false).await?;
    database.client.wake().await;
    ledger::more_than(args.jobs - 1).await;
    let took = begin.elapsed();
    let cost = database.spent_since(before).await?;
    stop.cancel();
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    let (ran, left) = (ledger::total().0, database.unfinished().await?);
    if ledger::twice() > 0 || ran.cast_signed() + left != unfinished {
        return Err(format!("the ledger is not even: {ran} ran and {left} are left of {unfinished}").into());
    }
    Ok(Line { settings: cell.name.clone(), ..Line::new(args, database, args.jobs, took, cost) })
}
