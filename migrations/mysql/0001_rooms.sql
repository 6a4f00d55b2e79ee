-- The rooms. A job's row is in exactly one of djob_jobs, djob_claims, djob_parked and djob_finished at a time; to move is
-- one transaction. Ids are 16 bytes (UUIDv7), times are microseconds since 1970, names sort bytewise. JSON is text: the
-- type `json` of MySQL rewrites what it is given, and that of MariaDB refuses what is nested more than 32 levels deep. MySQL
-- commits each statement by itself: all of them can be done again.

-- Waiting: scheduled (run_at ahead) and ready. Only what still has to run, so that it stays small and hot.
create table if not exists djob_jobs (
    id           binary(16) primary key,
    queue        varchar(63) not null,
    kind         varchar(63) not null,
    priority     smallint not null default 0,            -- lower runs first
    run_at       bigint not null,
    attempt      smallint not null default 0,            -- attempts that ended in an error
    max_attempts smallint not null default 25,
    args         longtext,                               -- null: over 1 KB, and therefore in djob_args
    meta         longtext,                               -- tags, unique key, crashes; null if there is nothing to say
    -- That of the args: what meta says, or 1.
    version      int as (cast(coalesce(nullif(regexp_substr(regexp_substr(meta, '"version" *: *[0-9]{1,5}[,} ]'), '[0-9]+'), ''), '1') as signed)) stored,
    -- A lane is one (queue, priority); a claim seeks into it and reads on from there. Behind those, what it needs to pass over
    -- jobs that its worker cannot read, without a look at their rows.
    key djob_jobs_lane (queue, priority, run_at, id, kind, version)
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- Arguments over about 1 KB, which move by reference: a claim never copies them.
create table if not exists djob_args (
    id   binary(16) primary key,
    args longtext not null
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- Claimed: one row for each batch that a worker took out of a lane, or for one job that was taken out of its batch.
create table if not exists djob_claims (
    id         binary(16) primary key,                   -- the claim id; for a single job, the job's id
    fence      binary(16) not null,                      -- the claim id: what every write about these jobs must show
    worker     binary(16) not null,
    claimed_at bigint not null,
    started_at bigint,                                   -- of a single job: it is known to have begun
    queue      varchar(63) not null,
    priority   smallint not null,
    jobs       longtext not null                         -- [[id, kind, run_at, attempt, max_attempts, args, meta], ..]
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- Parked: set aside with a reason, until that reason is gone.
create table if not exists djob_parked (
    id           binary(16) primary key,
    queue        varchar(63) not null,
    kind         varchar(63) not null,
    priority     smallint not null,
    run_at       bigint not null,
    attempt      smallint not null,
    max_attempts smallint not null,
    args         longtext,
    meta         longtext,
    reason       varchar(63) not null,                   -- unknown_kind, newer_version, broken_contract, ..
    detail       longtext not null,
    version      integer not null default 1,             -- of the arguments: a worker that reads it takes the job back
    parked_at    bigint not null,
    key djob_parked_reason (reason, kind, version)
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- Finished: history, kept as long as asked.
create table if not exists djob_finished (
    id           binary(16) primary key,
    queue        varchar(63) not null,
    kind         varchar(63) not null,
    priority     smallint not null,
    run_at       bigint not null,
    attempt      smallint not null,
    max_attempts smallint not null,
    args         longtext,
    meta         longtext,
    state        varchar(16) not null check (state in ('completed', 'failed', 'cancelled')),
    result       longtext,
    error        longtext,
    worker       binary(16),
    ran_us       bigint not null default 0,
    finished_at  bigint not null,
    keep_until   bigint not null,
    key djob_finished_keep (keep_until),
    key djob_finished_state (state, id)
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- The errors of past attempts.
create table if not exists djob_attempts (
    job      binary(16) not null,
    attempt  smallint not null,                          -- 1 for the first
    ended_at bigint not null,
    ran_us   bigint not null,
    worker   binary(16) not null,
    error    longtext not null,
    primary key (job, attempt)
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- Unique keys, each held by one unfinished job. Bytes: a collation would take some that differ for the same.
create table if not exists djob_unique (
    unique_key varbinary(1100) primary key,
    job        binary(16) not null,
    key djob_unique_job (job)
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- Running jobs that somebody wants to stop.
create table if not exists djob_cancels (
    job      binary(16) primary key,
    asked_at bigint not null
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- How far running jobs have come, for those that say.
create table if not exists djob_progress (
    job      binary(16) primary key,
    fraction double not null,                            -- from 0 to 1
    said_at  bigint not null
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- One row for each incarnation of a worker. Its id is never used again, so a row that fell silent stays dead.
create table if not exists djob_workers (
    id          binary(16) primary key,
    name        varchar(255) not null,
    host        varchar(255) not null,
    pid         int not null,
    version     varchar(63) not null,
    queues      longtext not null,
    kinds       longtext not null,
    concurrency int not null,
    started_at  bigint not null,
    beat_at     bigint not null
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- What each version of a kind promises to those who do not have its code, as workers say it.
create table if not exists djob_kinds (
    kind         varchar(63) not null,
    version      integer not null,
    args_schema  longtext not null,                      -- a JSON Schema
    queue        varchar(63) not null,
    priority     smallint not null,
    delay        bigint not null,                        -- microseconds
    max_attempts smallint not null,
    computed     longtext not null,                      -- the options that only the code can tell
    hash         varchar(64) not null,                   -- of all these
    published_at bigint not null,
    primary key (kind, version)
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- What is set for a queue; a queue without a row has no settings.
create table if not exists djob_queues (
    name        varchar(63) primary key,
    paused_at   bigint
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- Duties of maintenance, each taken on lease by whichever worker finds it due.
create table if not exists djob_duties (
    name        varchar(63) primary key,
    taken_until bigint not null,
    worker      binary(16) not null
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- The oldest version of these tables that a program may know and still work on them. A migration that takes away what older
-- programs need raises it; all others leave it alone.
create table if not exists djob_schema (
    oldest bigint primary key
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;
insert ignore into djob_schema values (1);

-- The lanes of a range of priorities whose queue is not paused, and when the first job of each is due. Each lane is found by the
-- minimum of what lies behind the one before, which is one look into the index, however many jobs there are. A statement for all
-- lanes at once is up to the statistics: MariaDB keeps those of a table that was empty when it was opened, and reads every job.
drop procedure if exists djob_lanes;

create procedure djob_lanes(in lowest smallint, in highest smallint, in seen_at bigint)
    reads sql data
    sql security invoker
begin
    declare of_queue varchar(63) character set utf8mb4 collate utf8mb4_bin;
    declare of_priority smallint;
    declare due bigint;
    declare lanes longtext character set utf8mb4 collate utf8mb4_bin default '';

    select min(j.queue) into of_queue from djob_jobs as j;
    while of_queue is not null do
        select min(j.priority) into of_priority from djob_jobs as j where j.queue = of_queue and j.priority >= lowest;
        while of_priority <= highest do
            select min(j.run_at) into due from djob_jobs as j where j.queue = of_queue and j.priority = of_priority;
            -- Null if the last job has been taken meanwhile.
            if due is not null and not exists (
                select 1 from djob_queues as q where q.name = of_queue and q.paused_at is not null) then
                set lanes = concat(lanes, ',[', json_quote(of_queue), ',', of_priority, ',', due, ']');
            end if;
            select min(j.priority) into of_priority from djob_jobs as j where j.queue = of_queue and j.priority > of_priority;
        end while;
        select min(j.queue) into of_queue from djob_jobs as j where j.queue > of_queue;
    end while;
    -- A text that is too long becomes null, and not an error.
    if lanes is null then
        signal sqlstate '45000' set message_text = 'djob has more lanes than max_allowed_packet holds: raise it';
    end if;
    select lane.queue, lane.priority, lane.run_at, seen_at
    from json_table(concat('[', substr(lanes, 2), ']'), '$[*]' columns (
        queue varchar(63) path '$[0]', priority smallint path '$[1]', run_at bigint path '$[2]')) as lane;
end;
