-- SQLite has no deletes inside of WITH: the job is deleted by `forget.sql`, in the same transaction.
insert into djob_finished (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, state, error, finished_at,
                           keep_until)
select id, queue, kind, priority, run_at, attempt, max_attempts,
       coalesce(args, (select large.args from djob_args as large where large.id = $1)), meta, 'cancelled', $2, now(),
       now() + $3
from (select id, queue, kind, priority, run_at, attempt, max_attempts, args, meta from djob_jobs where id = $1
      union all
      select id, queue, kind, priority, run_at, attempt, max_attempts, args, meta from djob_parked where id = $1) as job
