-- A part of what `settle.sql` does: jobs that still run get claim rows of their own, under the same fence.
-- Worker $2; each $1 is [id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, fence, started].
insert into djob_claims (id, fence, worker, claimed_at, started_at, queue, priority, jobs)
select unhex(m.value ->> 0), unhex(m.value ->> 9), $2, now(), case when m.value ->> 10 then now() end, m.value ->> 1, m.value ->> 3,
       json_array(json_array(m.value ->> 0, m.value ->> 2, m.value ->> 4, m.value ->> 5, m.value ->> 6,
                             json(m.value ->> 7), json(m.value ->> 8)))
from json_each($1) as m
