-- The rooms. A job's row is in exactly one of djob_jobs, djob_claims, djob_parked and djob_finished at a time; to move is
-- one transaction. Ids are 16 bytes (UUIDv7), times are microseconds since 1970.

-- Waiting: scheduled (run_at ahead) and ready. Only what still has to run, so that it stays small and hot.
create table djob_jobs (
    id           blob primary key check (length(id) = 16),
    queue        text not null,
    kind         text not null,
    priority     integer not null default 0,             -- lower runs first
    run_at       integer not null,
    attempt      integer not null default 0,             -- attempts that ended in an error
    max_attempts integer not null default 25,
    args         text check (json_valid(args)),          -- null: over 1 KB, and therefore in djob_args
    meta         text check (json_valid(meta))           -- tags, unique key, crashes; null if there is nothing to say
) strict, without rowid;

-- A lane is one (queue, priority); a claim seeks into it and reads on from there.
create index djob_jobs_lane on djob_jobs (queue, priority, run_at, id);

-- Arguments over about 1 KB, which move by reference: a claim never copies them.
create table djob_args (
    id   blob primary key,
    args text not null check (json_valid(args))
) strict;

-- Claimed: one row for each batch that a worker took out of a lane, or for one job that was taken out of its batch.
create table djob_claims (
    id         blob primary key,                         -- the claim id; for a single job, the job's id
    fence      blob not null,                            -- the claim id: what every write about these jobs must show
    worker     blob not null,
    claimed_at integer not null,
    started_at integer,                                  -- of a single job: it is known to have begun
    queue      text not null,
    priority   integer not null,
    jobs       text not null                             -- [[id, kind, run_at, attempt, max_attempts, args, meta], ..]
) strict;

-- Parked: set aside with a reason, until that reason is gone.
create table djob_parked (
    id           blob primary key,
    queue        text not null,
    kind         text not null,
    priority     integer not null,
    run_at       integer not null,
    attempt      integer not null,
    max_attempts integer not null,
    args         text,
    meta         text,
    reason       text not null,                          -- unknown_kind, newer_version, broken_contract, ..
    detail       text not null,
    version      integer not null default 1,             -- of the arguments: a worker that reads it takes the job back
    parked_at    integer not null
) strict, without rowid;
create index djob_parked_reason on djob_parked (reason, kind, version);

-- Finished: history, kept as long as asked.
create table djob_finished (
    id           blob primary key,
    queue        text not null,
    kind         text not null,
    priority     integer not null,
    run_at       integer not null,
    attempt      integer not null,
    max_attempts integer not null,
    args         text,
    meta         text,
    state        text not null check (state in ('completed', 'failed', 'cancelled')),
    result       text,
    error        text,
    worker       blob,
    ran_us       integer not null default 0,
    finished_at  integer not null,
    keep_until   integer not null
) strict, without rowid;
create index djob_finished_keep on djob_finished (keep_until);
create index djob_finished_failed on djob_finished (id) where state <> 'completed';

-- The errors of past attempts.
create table djob_attempts (
    job      blob not null,
    attempt  integer not null,                           -- 1 for the first
    ended_at integer not null,
    ran_us   integer not null,
    worker   blob not null,
    error    text not null,
    primary key (job, attempt)
) strict, without rowid;

-- Unique keys, each held by one unfinished job.
create table djob_unique (
    unique_key text primary key,
    job        blob not null
) strict, without rowid;
create index djob_unique_job on djob_unique (job);

-- Running jobs that somebody wants to stop.
create table djob_cancels (
    job      blob primary key,
    asked_at integer not null
) strict, without rowid;

-- How far running jobs have come, for those that say.
create table djob_progress (
    job      blob primary key,
    fraction real not null,                              -- from 0 to 1
    said_at  integer not null
) strict, without rowid;

-- One row for each incarnation of a worker. Its id is never used again, so a row that fell silent stays dead.
create table djob_workers (
    id          blob primary key,
    name        text not null,
    host        text not null,
    pid         integer not null,
    version     text not null,
    queues      text not null,
    kinds       text not null,
    concurrency integer not null,
    started_at  integer not null,
    beat_at     integer not null
) strict, without rowid;

-- What each version of a kind promises to those who do not have its code, as workers say it.
create table djob_kinds (
    kind         text not null,
    version      integer not null,
    args_schema  text not null,                          -- a JSON Schema
    queue        text not null,
    priority     integer not null,
    delay        integer not null,                       -- microseconds
    max_attempts integer not null,
    computed     text not null,                          -- the options that only the code can tell
    hash         text not null,                          -- of all these
    published_at integer not null,
    primary key (kind, version)
) strict, without rowid;

-- What is set for a queue; a queue without a row has no settings.
create table djob_queues (
    name        text primary key,
    paused_at   integer
) strict, without rowid;

-- Duties of maintenance, each taken on lease by whichever worker finds it due.
create table djob_duties (
    name        text primary key,
    taken_until integer not null,
    worker      blob not null
) strict, without rowid;

-- The oldest version of these tables that a program may know and still work on them. A migration that takes away what older
-- programs need raises it; all others leave it alone.
create table djob_schema (
    oldest integer primary key
) strict, without rowid;
insert into djob_schema values (1);
