-- SQLite only: the second half of `unpark.sqlite.sql`.
delete from djob_parked where reason = 'unknown_kind' and kind = $1
