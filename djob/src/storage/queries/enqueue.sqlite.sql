-- SQLite has no arrays: the jobs come as one JSON array of [id, queue, kind, priority, max_attempts, args, meta, due_at, delay].
insert into djob_jobs (id, queue, kind, priority, run_at, max_attempts, args, meta)
select unhex(new.value ->> 0), new.value ->> 1, new.value ->> 2, new.value ->> 3,
       max(now(), coalesce(new.value ->> 7, now() + (new.value ->> 8))), new.value ->> 4,
       new.value ->> 5, new.value ->> 6
from json_each($1) as new
