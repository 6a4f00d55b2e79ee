-- SQLite has no deletes inside of WITH: `parked.sqlite.sql` follows. Each $1 is [id, reason, detail, version].
insert into djob_parked (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, reason, detail, version,
                         parked_at)
select j.id, j.queue, j.kind, j.priority, j.run_at, j.attempt, j.max_attempts, j.args, j.meta, m.value ->> 1, m.value ->> 2,
       m.value ->> 3, now()
from json_each($1) as m join djob_jobs as j on j.id = unhex(m.value ->> 0)
