-- MySQL has no `returning`: the jobs of lane ($1, $2) behind cursor ($3, $4) are locked and read, at most $5, and only of kinds $6
-- if there are any; then `bind.sql` and `taken.mysql.sql` move them, in the same transaction. The cursor is said as two ranges:
-- MySQL would read `(run_at, id) > ($3, $4)` from the start of that microsecond, which a whole import may share. And the index is
-- forced, or MariaDB, where it knows little of the table, reads the lane from its head.
select id, kind, run_at, attempt, max_attempts, args, meta from djob_jobs force index (djob_jobs_lane)
where queue = $1 and priority = $2 and run_at <= now() and (run_at = $3 and id > $4 or run_at > $3)
  and ($6 is null or version <= json_unquote(json_extract($6, concat('$.', json_quote(kind)))) + 0)
order by run_at, id limit $5 for update skip locked
