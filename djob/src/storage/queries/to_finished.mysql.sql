-- A part of what `settle.sql` does: jobs that are kept as history. Worker $2.
insert into djob_finished (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, state, result, error,
                           worker, ran_us, finished_at, keep_until)
select unhex(m.id), m.queue, m.kind, m.priority, m.run_at, m.attempt, m.max_attempts,
       coalesce(m.args, (select large.args from djob_args as large where large.id = unhex(m.id))), m.meta, m.state, m.result,
       m.error, $2, m.ran_us, now(), coalesce(now() + m.keep, 9007199254740991)
from json_table($1, '$[*]' columns (
    id char(32) path '$[0]', queue varchar(63) path '$[1]', kind varchar(63) path '$[2]', priority smallint path '$[3]',
    run_at bigint path '$[4]', attempt smallint path '$[5]', max_attempts smallint path '$[6]', args longtext path '$[7]',
    meta longtext path '$[8]',
    state varchar(16) path '$[9]', result longtext path '$[10]', error longtext path '$[11]', ran_us bigint path '$[12]',
    keep bigint path '$[13]')) as m
