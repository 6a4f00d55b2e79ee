-- A part of what `settle.sql` does. Worker $2; each $1 is [id, queue, kind, priority, run_at, attempt, max_attempts, args,
-- meta, state, result, error, ran_us, keep]. 9007199254740991 stands for ever: it is the largest integer of JSON.
insert into djob_finished (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, state, result, error,
                           worker, ran_us, finished_at, keep_until)
select unhex(m.value ->> 0), m.value ->> 1, m.value ->> 2, m.value ->> 3, m.value ->> 4, m.value ->> 5, m.value ->> 6,
       coalesce(m.value ->> 7, (select args from djob_args where id = unhex(m.value ->> 0))), m.value ->> 8, m.value ->> 9,
       m.value ->> 10, m.value ->> 11, $2, m.value ->> 12, now(), coalesce(now() + (m.value ->> 13), 9007199254740991)
from json_each($1) as m
