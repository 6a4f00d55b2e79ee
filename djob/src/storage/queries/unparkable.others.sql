-- The first step of what `unpark.sql` does: `unpark.sqlite.sql` or `unpark.mysql.sql` copies these jobs, and
-- `unparked.sqlite.sql` or `unparked.mysql.sql` deletes them, in the same transaction.
select id from djob_parked where reason = $1 and kind = $2 and version <= $3 limit $4 for update
