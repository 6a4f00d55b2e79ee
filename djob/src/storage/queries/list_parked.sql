-- Parked jobs, newest first, as in `list_waiting.sql`; $5 is a reason.
select 'parked', id, queue, kind, priority, run_at, attempt, max_attempts,
       coalesce(args, (select large.args from djob_args as large where large.id = p.id))::text, meta::text, null::text,
       reason || ': ' || detail, null::timestamptz, now()
from djob_parked as p
where ($5 = '' or reason = $5) and id < $1 and ($2 = '' or queue = $2) and ($3 = '' or kind = $3)
order by id desc limit $4
