-- A part of what `settle.sql` does: jobs that go back to wait.
insert into djob_jobs (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta)
select unhex(m.id), m.queue, m.kind, m.priority, coalesce(now() + m.delay, m.run_at), m.attempt, m.max_attempts, m.args, m.meta
from json_table($1, '$[*]' columns (
    id char(32) path '$[0]', queue varchar(63) path '$[1]', kind varchar(63) path '$[2]', priority smallint path '$[3]',
    run_at bigint path '$[4]', attempt smallint path '$[5]', max_attempts smallint path '$[6]', args longtext path '$[7]',
    meta longtext path '$[8]',
    delay bigint path '$[9]')) as m
