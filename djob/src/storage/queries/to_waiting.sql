-- A part of what `settle.sql` does in one statement: each $1 is
-- [id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, delay].
insert into djob_jobs (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta)
select unhex(m.value ->> 0), m.value ->> 1, m.value ->> 2, m.value ->> 3, coalesce(now() + (m.value ->> 9), m.value ->> 4),
       m.value ->> 5, m.value ->> 6, m.value ->> 7, m.value ->> 8
from json_each($1) as m
