-- Jobs that were parked because no worker knew their kind go back to waiting, since one that knows $1 is here.
with back as (
    delete from djob_parked where reason = 'unknown_kind' and kind = $1
    returning id, queue, kind, priority, run_at, attempt, max_attempts, args, meta
)
insert into djob_jobs (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta)
select id, queue, kind, priority, run_at, attempt, max_attempts, args, meta from back
