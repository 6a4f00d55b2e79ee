-- SQLite has no deletes inside of WITH: what is copied here is deleted by `unparked.sql`, in the same transaction.
insert into djob_jobs (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta)
select id, queue, kind, priority, run_at, attempt, max_attempts, args, meta from djob_parked
where reason = 'unknown_kind' and kind = $1
