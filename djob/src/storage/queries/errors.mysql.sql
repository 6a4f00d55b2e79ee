-- A part of what `settle.sql` does: the errors of attempts. Worker $2.
insert ignore into djob_attempts (job, attempt, ended_at, ran_us, worker, error)
select unhex(m.id), m.attempt, now(), m.ran_us, $2, m.error
from json_table($1, '$[*]' columns (
    id char(32) path '$[0]', attempt smallint path '$[1]', ran_us bigint path '$[2]', error longtext path '$[3]')) as m
