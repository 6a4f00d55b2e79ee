-- SQLite has no arrays: the ids come as JSON.
select id, args from djob_args where id in (select unhex(value) from json_each($1))
