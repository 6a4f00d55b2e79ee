-- MySQL has no `returning`: the jobs of lane ($1, $2) behind cursor ($3, $4) are locked and read, at most $5, and only of kinds $6
-- if there are any; then `bind.sql` and `taken.mysql.sql` move them, in the same transaction.
select id, kind, run_at, attempt, max_attempts, args, meta from djob_jobs
where queue = $1 and priority = $2 and run_at <= now() and run_at >= $3 and (run_at > $3 or id > $4)
  and ($6 is null or coalesce(nullif(regexp_substr(regexp_substr(meta, '"version" *: *[0-9]{1,5}[,} ]'), '[0-9]+'), ''), 1) + 0
                     <= json_unquote(json_extract($6, concat('$.', json_quote(kind)))) + 0)
order by run_at, id limit $5 for update skip locked
