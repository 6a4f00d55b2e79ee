-- MySQL takes jobs as JSON, and quotes what is JSON itself: it is stored as it is written.
insert into djob_jobs (id, queue, kind, priority, run_at, max_attempts, args, meta)
select unhex(n.id), n.queue, n.kind, n.priority, greatest(now(), coalesce(n.due_at, now() + n.delay)), n.max_attempts, n.args,
       n.meta
from json_table($1, '$[*]' columns (
    id char(32) path '$[0]', queue varchar(63) path '$[1]', kind varchar(63) path '$[2]', priority smallint path '$[3]',
    max_attempts smallint path '$[4]', args longtext path '$[5]', meta longtext path '$[6]', due_at bigint path '$[7]',
    delay bigint path '$[8]')) as n
