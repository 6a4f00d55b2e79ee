-- Up to $4 jobs that were parked for reason $1 go back to waiting, since a worker is here that knows kind $2 and reads versions
-- up to $3.
with back as (
    delete from djob_parked where id = any (array (
        select id from djob_parked where reason = $1 and kind = $2 and version <= $3 limit $4 for update skip locked))
    returning id, queue, kind, priority, run_at, attempt, max_attempts, args, meta
)
insert into djob_jobs (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta)
select id, queue, kind, priority, run_at, attempt, max_attempts, args, meta from back
