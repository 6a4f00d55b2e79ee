-- MySQL has no `returning`: the jobs of lane ($1, $2) behind cursor ($3, $4) are locked and read, at most $5; then
-- `bind.sql` and `taken.mysql.sql` move them, in the same transaction.
select id, kind, run_at, attempt, max_attempts, args, meta from djob_jobs
where queue = $1 and priority = $2 and run_at <= now() and run_at >= $3 and (run_at > $3 or id > $4)
order by run_at, id limit $5 for update skip locked
