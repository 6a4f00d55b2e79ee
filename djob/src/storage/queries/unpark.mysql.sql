-- The same rows are deleted by `unparked.mysql.sql` in the same transaction. They are locked before anything is copied.
insert into djob_jobs (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta)
select id, queue, kind, priority, run_at, attempt, max_attempts, args, meta from djob_parked
where reason = 'unknown_kind' and kind = $1 for update
