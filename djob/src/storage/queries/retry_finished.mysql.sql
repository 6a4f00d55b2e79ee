-- The row is locked; it is deleted by the statements that follow in the same transaction.
insert into djob_jobs (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta)
select id, queue, kind, priority, now(), attempt, greatest(max_attempts, attempt + 1), args, meta
from (select id, queue, kind, priority, attempt, max_attempts, args, meta from djob_finished
      where id = $1 and state <> 'completed'
      union all
      select id, queue, kind, priority, attempt, max_attempts, args, meta from djob_parked where id = $1) as job
