-- SQLite only: what belonged to the jobs that `clear.sqlite.sql` forgets.
delete from djob_args where id in (select id from djob_jobs where $1 = '' or queue = $1)
