//! Jobs that are put into a room by plain SQL, all at once, without anybody being told.

use crate::dialect::Dialect;

/// A room that can be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Waiting,
    /// Waiting, and due in a day.
    Scheduled,
    /// Waiting for longer than all others, of a kind that no worker knows.
    Unread,
    /// Set aside, since no worker knows their kind.
    Parked,
    Finished,
}

/// No-op jobs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill {
    pub(crate) room: Room,
    /// The first id in the arguments; those that were put in before come before these.
    pub(crate) first: u64,
    pub(crate) count: u64,
    /// Over so many queues, and so many priorities.
    pub(crate) queues: u64,
    pub(crate) priorities: u64,
}

/// A database's words.
struct Words {
    /// What comes before `select`, and what `n` is selected from.
    with: String,
    numbers: String,
    /// An id that grows with `n`, as those of real jobs do.
    id: &'static str,
    args: &'static str,
    now: &'static str,
    day: &'static str,
}

impl Words {
    fn of(dialect: Dialect, first: u64, last: u64) -> Self {
        match dialect {
            Dialect::Postgres => Words {
                with: String::new(),
                numbers: format!("generate_series({first}, {last} - 1) as n"),
                id: "('01a20000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid",
                args: "json_build_object('id', n)",
                now: "now()",
                day: "interval '1 day'",
            },
            Dialect::Sqlite => Words {
                with: format!(
                    "with recursive generated (n) as \
                     (select {first} union all select n + 1 from generated where n + 1 < {last}) "
                ),
                numbers: "generated".into(),
                id: "unhex(printf('01a20000000070008000%012x', n))",
                args: "json_object('id', n)",
                now: "unixepoch() * 1000000",
                day: "86400000000",
            },
            // One element for each number: MySQL has no series, and recurses a thousand times at most.
            Dialect::MySql => Words {
                with: String::new(),
                numbers: format!(
                    "(select place + {first} - 1 as n from json_table(concat('[0', repeat(',0', {last} - {first} - 1), ']'), \
                     '$[*]' columns (place for ordinality)) as element) as generated"
                ),
                id: "unhex(concat('01a20000000070008000', lpad(hex(n), 12, '0')))",
                args: "json_object('id', n)",
                now: "cast(unix_timestamp(now(6)) * 1000000 as signed)",
                day: "86400000000",
            },
        }
    }
}

impl Fill {
    /// The statement that puts them in.
    pub(crate) fn text(&self, dialect: Dialect) -> String {
        let Fill { room, first, count, queues, priorities } = *self;
        let Words { with, numbers, id, args, now, day } = Words::of(dialect, first, first + count);
        let (table, more, values) = match room {
            Room::Waiting | Room::Scheduled | Room::Unread => ("jobs", "", String::new()),
            Room::Parked => (
                "parked",
                ", reason, detail, parked_at",
                format!(", 'unknown_kind', 'nobody knows it', {now}"),
            ),
            Room::Finished => (
                "finished",
                ", state, ran_us, finished_at, keep_until",
                format!(", 'completed', 1, {now}, {now} + {day}"),
            ),
        };
        let run_at = match room {
            Room::Scheduled => format!("{now} + {day}"),
            Room::Unread => format!("{now} - {day}"),
            _ => now.to_owned(),
        };
        let kind = if matches!(room, Room::Unread | Room::Parked) { "nobodys" } else { "noop" };
        let queue = match (queues, dialect) {
            (1, _) => "'default'".to_owned(),
            (_, Dialect::MySql) => format!("concat('q', n % {queues})"),
            _ => format!("'q' || n % {queues}"),
        };
        format!(
            "insert into djob_{table} (id, queue, kind, priority, run_at, attempt, max_attempts, args{more}) {with}\
             select {id}, {queue}, '{kind}', n % {priorities}, {run_at}, 0, 25, {args}{values} from {numbers}"
        )
    }
}
