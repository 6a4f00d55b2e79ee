-- Stores jobs. A job whose unique key is held already is left out. $9 is a delay in microseconds, $8 a moment; one is null.
with new as (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::smallint[], $6::text[], $7::text[],
                         $8::timestamptz[], $9::bigint[])
        as new (id, queue, kind, priority, max_attempts, args, meta, due_at, delay)
), large as (
    insert into djob_args (id, args) select id, args::json from new where octet_length(args) > 1024
)
insert into djob_jobs (id, queue, kind, priority, run_at, max_attempts, args, meta)
select id, queue, kind, priority,
       greatest(now(), coalesce(due_at, now() + delay * interval '1 microsecond')), max_attempts,
       case when octet_length(args) <= 1024 then args::json end, meta::json
from new
