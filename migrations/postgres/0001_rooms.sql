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
    metas        json[] not null,
    last_at      timestamptz,                            -- of a claim in its turn: a job near its end,
    last_id      uuid                                    -- from where on others may read
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
create index djob_claims_last on djob_claims (queue, priority, last_at, last_id) where last_at is not null;

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
    reason       text collate "C" not null,              -- unknown_kind, newer_version, broken_contract, ..
    detail       text not null,
    version      integer not null default 1,             -- of the arguments: a worker that reads it takes the job back
    parked_at    timestamptz not null default now()
);
create index djob_parked_reason on djob_parked (reason, kind, version);

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
    unique_key text collate "C" primary key,
    job        uuid not null
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

-- What each version of a kind promises to those who do not have its code, as workers say it.
create table djob_kinds (
    kind         text collate "C" not null,
    version      integer not null,
    args_schema  json not null,                          -- a JSON Schema
    queue        text collate "C" not null,
    priority     smallint not null,
    delay        bigint not null,                        -- microseconds
    max_attempts smallint not null,
    computed     json not null,                          -- the options that only the code can tell
    hash         text collate "C" not null,              -- of all these
    published_at timestamptz not null default now(),
    primary key (kind, version)
);

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

-- The oldest version of these tables that a program may know and still work on them. A migration that takes away what older
-- programs need raises it; all others leave it alone.
create table djob_schema (
    oldest bigint primary key
);
insert into djob_schema values (1);

alter table djob_claims alter column ids set storage external, alter column run_ats set storage external;
do $$ begin
    alter table djob_claims alter column kinds set compression lz4,
        alter column attempts set compression lz4,
        alter column max_attempts set compression lz4, alter column args set compression lz4,
        alter column metas set compression lz4;
exception when feature_not_supported or invalid_parameter_value then null;
end $$;

-- What `claim.sql` does, when it is this claimer's turn: it waits for that and claims in one round trip, so that the next
-- one can begin the moment this one ends. Who claims alone need not lock each row before it is deleted, which saves a fifth
-- of the work, and may begin behind what the newest claim of a lane took instead of walking over it. That is not done
-- for a lane whose cursor has no id: it comes from a sweep, which looks for what others have passed by.
-- A row that somebody else has locked is waited for, but not for long. Returns a row of nulls if the turn does not come.
create function djob_claim_in_turn(
    claimer uuid, queues text[], priorities smallint[], after_ats timestamptz[], after_ids uuid[], claims uuid[],
    want bigint, known text[], versions integer[], told_time timestamptz
) returns setof djob_claims language plpgsql set search_path from current set lock_timeout = '50ms' as $$
#variable_conflict use_column
declare
    moment timestamptz;
begin
    begin
        perform pg_advisory_xact_lock(hashtextextended(current_schema() || '.djob_jobs', 1));
    exception when lock_not_available then
        return next null::djob_claims;
        return;
    end;
    moment := coalesce(told_time, clock_timestamp());
    return query
    with picked as materialized (
        -- No lane is looked at before those in front of it have given less than is wanted.
        select head.ctid
        from unnest(queues, priorities, after_ats, after_ids) as lane (queue, priority, after_at, after_id)
        left join lateral (
            select c.last_at, c.last_id from djob_claims as c
            where c.queue = lane.queue and c.priority = lane.priority and c.last_at is not null
              and (c.last_at, c.last_id) > (lane.after_at, lane.after_id)
              and lane.after_id <> '00000000-0000-0000-0000-000000000000'
            order by c.last_at desc, c.last_id desc limit 1) as newest on true
        cross join lateral (
            select j.ctid from djob_jobs as j
            where j.queue = lane.queue and j.priority = lane.priority and j.run_at <= moment
              and (j.run_at, j.id) > (coalesce(newest.last_at, lane.after_at), coalesce(newest.last_id, lane.after_id))
              and (known is null
                   or j.kind = any (known) and coalesce(substring(j.meta::text from '"version" *: *([0-9]{1,5})[,} ]')::int, 1)
                                               <= versions[array_position(known, j.kind)])
            order by j.run_at, j.id limit want) as head
        where not exists (select from djob_queues as q where q.name = lane.queue and q.paused_at is not null)
        limit want
    ), taken as (
        delete from djob_jobs where ctid = any (array (select ctid from picked))
        returning id, queue, kind, priority, run_at, attempt, max_attempts, args, meta
    ), batch as materialized (
        select queue, priority, array_agg(id) as ids, array_agg(kind) as kinds, array_agg(run_at) as run_ats,
               array_agg(attempt) as attempts, array_agg(max_attempts) as max_attempts, array_agg(args) as args,
               array_agg(meta) as metas
        from taken group by queue, priority
    )
    insert into djob_claims (id, fence, worker, claimed_at, queue, priority, ids, kinds, run_ats, attempts, max_attempts,
                             args, metas, last_at, last_id)
    select lane.claim, lane.claim, claimer, moment, batch.queue, batch.priority, ids, kinds, run_ats, attempts,
           max_attempts, args, metas, 
           -- Who claims by name leaves others' jobs behind, which they must not pass by.
           case when known is null then run_ats[cardinality(ids)] end, case when known is null then ids[cardinality(ids)] end
    from unnest(queues, priorities, claims) as lane (queue, priority, claim) join batch using (queue, priority)
    returning *;
end $$;
