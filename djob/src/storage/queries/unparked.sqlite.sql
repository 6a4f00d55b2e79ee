-- SQLite only: the last step of `unparkable.others.sql`.
delete from djob_parked where id in (select unhex(value) from json_each($1))
