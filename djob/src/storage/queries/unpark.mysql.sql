-- MySQL has no `returning`. The rows are locked by now. Each $1 is an id.
insert into djob_jobs (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta)
select p.id, p.queue, p.kind, p.priority, p.run_at, p.attempt, p.max_attempts, p.args, p.meta
from json_table($1, '$[*]' columns (id char(32) path '$')) as t
straight_join djob_parked as p on p.id = unhex(t.id)
