-- SQLite only: the arguments over 1 KB of a batch, as one JSON array of [id, args].
insert into djob_args (id, args) select unhex(value ->> 0), value ->> 1 from json_each($1)
