-- A finished or parked job goes back to waiting, due now, with a fresh allowance of attempts if it has none left.
with gone as (
    delete from djob_finished where id = $1 and state <> 'completed'
    returning id, queue, kind, priority, attempt, max_attempts, args, meta
), unparked as (
    delete from djob_parked where id = $1
    returning id, queue, kind, priority, attempt, max_attempts, args, meta
)
insert into djob_jobs (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta)
select id, queue, kind, priority, now(), attempt, greatest(max_attempts, attempt + 1), args, meta
from (select * from gone union all select * from unparked) as job
