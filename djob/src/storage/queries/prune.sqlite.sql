-- SQLite has no partitions.
delete from djob_finished where id in (select id from djob_finished where keep_until <= now() limit $1)
