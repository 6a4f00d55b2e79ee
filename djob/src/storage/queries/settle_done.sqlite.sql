-- SQLite has no arrays: one claim row at a time, within one transaction.
delete from djob_claims where id = $1 and fence = $2 and worker = $3 returning id
