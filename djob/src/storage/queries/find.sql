-- One job, whatever room it is in (but for the claimed room: see `find_claim.sql`).
select 'waiting' as state, id, queue, kind, priority, run_at, attempt, max_attempts,
       coalesce(args, (select large.args from djob_args as large where large.id = $1))::text, meta::text, null::text as result,
       null::text as error, null::timestamptz as finished_at, now() as seen_at
from djob_jobs where id = $1
union all
select 'parked', id, queue, kind, priority, run_at, attempt, max_attempts,
       coalesce(args, (select large.args from djob_args as large where large.id = $1))::text, meta::text, null,
       reason || ': ' || detail, null::timestamptz, now()
from djob_parked where id = $1
union all
select state, id, queue, kind, priority, run_at, attempt, max_attempts, args::text, meta::text, result::text, error,
       finished_at, now()
from djob_finished where id = $1
