-- A part of what `settle.sql` does: the error of an attempt. Worker $2; each $1 is [id, attempt, ran_us, error].
insert into djob_attempts (job, attempt, ended_at, ran_us, worker, error)
select unhex(m.value ->> 0), m.value ->> 1, now(), m.value ->> 2, $2, m.value ->> 3 from json_each($1) as m where true
on conflict (job, attempt) do nothing
