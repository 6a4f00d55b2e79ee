-- Finished jobs, newest first, as in `list_waiting.sql`; $5 is the state, or empty for all three.
select state, id, queue, kind, priority, run_at, attempt, max_attempts, args::text, meta::text, result::text, error,
       finished_at, now()
from djob_finished
where id < $1 and ($2 = '' or queue = $2) and ($3 = '' or kind = $3) and ($5 = '' or state = $5)
order by id desc limit $4
