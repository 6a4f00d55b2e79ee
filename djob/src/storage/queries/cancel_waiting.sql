-- A job that nobody runs is cancelled at once; $2 says why, $3 how many microseconds it is kept.
with gone as (
    delete from djob_jobs where id = $1
    returning id, queue, kind, priority, run_at, attempt, max_attempts, args, meta
), unparked as (
    delete from djob_parked where id = $1
    returning id, queue, kind, priority, run_at, attempt, max_attempts, args, meta
)
insert into djob_finished (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, state, error, finished_at,
                           keep_until)
select id, queue, kind, priority, run_at, attempt, max_attempts,
       coalesce(args, (select large.args from djob_args as large where large.id = $1)), meta, 'cancelled', $2, now(),
       now() + $3 * interval '1 microsecond'
from (select * from gone union all select * from unparked) as job
