-- A part of what `settle.sql` does: jobs that are set aside.
insert into djob_parked (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, reason, detail, version,
                         parked_at)
select unhex(m.id), m.queue, m.kind, m.priority, m.run_at, m.attempt, m.max_attempts, m.args, m.meta, m.reason, m.detail,
       coalesce(json_unquote(json_extract(m.meta, '$.version')), 1), now()
from json_table($1, '$[*]' columns (
    id char(32) path '$[0]', queue varchar(63) path '$[1]', kind varchar(63) path '$[2]', priority smallint path '$[3]',
    run_at bigint path '$[4]', attempt smallint path '$[5]', max_attempts smallint path '$[6]', args longtext path '$[7]',
    meta longtext path '$[8]',
    reason varchar(63) path '$[9]', detail longtext path '$[10]')) as m
