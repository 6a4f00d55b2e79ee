-- Writes what became of claimed jobs, in one statement: the claim rows $1 (fences $2) of worker $3 go, and each of their
-- jobs moves on. What names a claim that no longer stands is refused: nothing of it is written. $4 to $20 are the moves.
with gone as (
    delete from djob_claims as c using unnest($1::uuid[], $2::uuid[]) as ended (id, fence)
    where c.id = ended.id and c.fence = ended.fence and c.worker = $3
    returning c.id, c.fence
), moves as materialized (
    select moves.*, gone.fence
    from unnest($4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::smallint[], $10::timestamptz[],
                $11::bigint[], $12::smallint[], $13::smallint[], $14::text[], $15::text[], $16::text[], $17::text[],
                $18::text[], $19::bigint[], $20::bigint[])
        as moves (claim, room, id, queue, kind, priority, run_at, delay, attempt, max_attempts, args, meta, state, result,
                  error, keep, ran_us)
    join gone on gone.id = moves.claim
), to_waiting as (
    insert into djob_jobs (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta)
    select id, queue, kind, priority, coalesce(now() + delay * interval '1 microsecond', run_at), attempt, max_attempts,
           args::json, meta::json
    from moves where room = 'waiting'
), to_claims as (
    insert into djob_claims (id, fence, worker, claimed_at, started_at, queue, priority, ids, kinds, run_ats, attempts, max_attempts,
                             args, metas)
    select id, fence, $3, now(), case when state = 'started' then now() end, queue, priority, array[id], array[kind], array[run_at], array[attempt],
           array[max_attempts], array[args::json], array[meta::json]
    from moves where room = 'claimed'
), to_parked as (
    insert into djob_parked (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, reason, detail, version,
                             parked_at)
    select id, queue, kind, priority, run_at, attempt, max_attempts, args::json, meta::json, state, error,
           coalesce((meta::json ->> 'version')::integer, 1), now()
    from moves where room = 'parked'
), to_finished as (
    insert into djob_finished (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, state, result, error,
                               worker, ran_us, finished_at, keep_until)
    select id, queue, kind, priority, run_at, attempt, max_attempts,
           coalesce(args::json, (select large.args from djob_args as large where large.id = moves.id)), meta::json, state,
           result::json, error, $3, ran_us, now(), coalesce(now() + keep * interval '1 microsecond', 'infinity')
    from moves where room = 'finished'
), lost_args as (
    delete from djob_args where id in (select id from moves where room in ('finished', 'nowhere') and args is null)
), told as (
    delete from djob_progress where job in (select id from moves where room in ('waiting', 'parked'))
), errors as (
    insert into djob_attempts (job, attempt, ended_at, ran_us, worker, error)
    select id, attempt, now(), ran_us, $3, error from moves
    where error is not null and room in ('waiting', 'finished') and coalesce(state, 'failed') = 'failed' and attempt > 0
    on conflict (job, attempt) do nothing
)
select id from gone
