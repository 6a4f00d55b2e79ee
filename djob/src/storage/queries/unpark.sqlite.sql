-- SQLite has no deletes inside of WITH. Each $1 is an id.
insert into djob_jobs (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta)
select id, queue, kind, priority, run_at, attempt, max_attempts, args, meta from djob_parked
where id in (select unhex(value) from json_each($1))
