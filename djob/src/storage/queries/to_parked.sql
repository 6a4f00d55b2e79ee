-- A part of what `settle.sql` does: each $1 is [id, queue, kind, priority, run_at, attempt, max_attempts, args, meta,
-- reason, detail].
insert into djob_parked (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, reason, detail, version,
                         parked_at)
select unhex(m.value ->> 0), m.value ->> 1, m.value ->> 2, m.value ->> 3, m.value ->> 4, m.value ->> 5, m.value ->> 6,
       m.value ->> 7, m.value ->> 8, m.value ->> 9, m.value ->> 10,
       coalesce(m.value ->> 8 ->> 'version', 1), now()
from json_each($1) as m
