-- SQLite has no deletes inside of WITH: what belonged to the jobs has gone before, by `clear_*.sql`.
delete from djob_jobs where $1 = '' or queue = $1
