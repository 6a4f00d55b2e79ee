-- Waiting jobs, newest first, before the job $1; $2 and $3 are a queue and a kind, or empty for all.
select 'waiting', id, queue, kind, priority, run_at, attempt, max_attempts,
       coalesce(args, (select large.args from djob_args as large where large.id = j.id))::text, meta::text, null::text,
       null::text, null::timestamptz, now()
from djob_jobs as j
where id < $1 and ($2 = '' or queue = $2) and ($3 = '' or kind = $3)
  and ($5 = '' or ($5 = 'ready') = (run_at <= now()))
order by id desc limit $4
