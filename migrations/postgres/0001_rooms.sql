-- The rooms. A job's row is in exactly one of djob_jobs, djob_claims, djob_parked and djob_finished at a time; to move is
-- one transaction. Names sort bytewise (collate "C"), so that no upgrade of the system's collations can break an index.

-- Waiting: scheduled (run_at ahead) and ready. Only what still has to run, so that it stays small and hot.
create table djob_jobs (
    id           uuid primary key,                       -- UUIDv7, made by the client
    queue        text collate "C" not null,
    kind         text collate "C" not null,
    priority     smallint not null default 0,            -- lower runs first
    run_at       timestamptz not null default now(),
    attempt      smallint not null default 0,            -- attempts that ended in an error
    max_attempts smallint not null default 25,
    args         json,                                   -- null: over 1 KB, and therefore in djob_args
    meta         json                                    -- tags, unique key, crashes; null if there is nothing to say
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
-- Below 90 PostgreSQL does not prune a page whenever it is read: jobs of many queues lie on one page, and each claim would
-- prune it anew. Vacuum does it once.

-- A lane is one (queue, priority); a claim seeks into it and reads on from there.
create index djob_jobs_lane on djob_jobs (queue, priority, run_at, id);

-- Arguments over about 1 KB, which move by reference: a claim never copies them.
create table djob_args (
    id   uuid primary key,
    args json not null
);

-- Claimed: one row for each batch that a worker took out of a lane, or for one job that was taken out of its batch.
create table djob_claims (
    id           uuid primary key,                       -- the claim id; for a single job, the job's id
    fence        uuid not null,                          -- the claim id: what every write about these jobs must show
    worker       uuid not null,
    claimed_at   timestamptz not null default now(),
    started_at   timestamptz,                            -- of a single job: it is known to have begun
    queue        text collate "C" not null,
    priority     smallint not null,
    ids          uuid[] not null,
    kinds        text[] not null,
    run_ats      timestamptz[] not null,
    attempts     smallint[] not null,
    max_attempts smallint[] not null,
    args         json[] not null,
    metas        json[] not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- Parked: set aside with a reason, until that reason is gone.
create table djob_parked (
    id           uuid primary key,
    queue        text collate "C" not null,
    kind         text collate "C" not null,
    priority     smallint not null,
    run_at       timestamptz not null,
    attempt      smallint not null,
    max_attempts smallint not null,
    args         json,
    meta         json,
    reason       text collate "C" not null,              -- unknown_kind, broken_contract, ..
    detail       text not null,
    parked_at    timestamptz not null default now()
);
create index djob_parked_reason on djob_parked (reason, kind);

-- Finished: history, by the day on which it may go. A partition whose last day has passed is dropped whole.
create table djob_finished (
    id           uuid not null,
    queue        text collate "C" not null,
    kind         text collate "C" not null,
    priority     smallint not null,
    run_at       timestamptz not null,
    attempt      smallint not null,
    max_attempts smallint not null,
    args         json,
    meta         json,
    state        text collate "C" not null check (state in ('completed', 'failed', 'cancelled')),
    result       json,
    error        text,
    worker       uuid,
    ran_us       bigint not null default 0,
    finished_at  timestamptz not null default now(),
    keep_until   timestamptz not null
) partition by range (keep_until);
create index djob_finished_id on djob_finished (id);
create index djob_finished_failed on djob_finished (id) where state <> 'completed';
create table djob_finished_rest partition of djob_finished default;

-- The errors of past attempts.
create table djob_attempts (
    job      uuid not null,
    attempt  smallint not null,                          -- 1 for the first
    ended_at timestamptz not null default now(),
    ran_us   bigint not null,
    worker   uuid not null,
    error    text not null,
    primary key (job, attempt)
);

-- Unique keys, each held by one unfinished job.
create table djob_unique (
    key  text collate "C" primary key,
    job  uuid not null
);
create index djob_unique_job on djob_unique (job);

-- Running jobs that somebody wants to stop.
create table djob_cancels (
    job      uuid primary key,
    asked_at timestamptz not null default now()
);

-- How far running jobs have come, for those that say.
create table djob_progress (
    job      uuid primary key,
    fraction double precision not null,                  -- from 0 to 1
    said_at  timestamptz not null default now()
);

-- One row for each incarnation of a worker. Its id is never used again, so a row that fell silent stays dead.
create table djob_workers (
    id          uuid primary key,
    name        text not null,
    host        text not null,
    pid         integer not null,
    version     text not null,
    queues      json not null,
    kinds       json not null,
    concurrency integer not null,
    started_at  timestamptz not null default now(),
    beat_at     timestamptz not null default now()
) with (fillfactor = 50);

-- What is set for a queue; a queue without a row has no settings.
create table djob_queues (
    name        text collate "C" primary key,
    paused_at   timestamptz
);

-- Duties of maintenance, each taken on lease by whichever worker finds it due.
create table djob_duties (
    name        text collate "C" primary key,
    taken_until timestamptz not null,
    worker      uuid not null
);

alter table djob_claims alter column ids set storage external, alter column run_ats set storage external;
do $$ begin
    alter table djob_claims alter column kinds set compression lz4,
        alter column attempts set compression lz4,
        alter column max_attempts set compression lz4, alter column args set compression lz4,
        alter column metas set compression lz4;
exception when feature_not_supported or invalid_parameter_value then null;
end $$;
