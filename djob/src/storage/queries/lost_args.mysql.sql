-- A part of what `settle.sql` does: large arguments of jobs that left for good. Each $1 is an id.
delete djob_args from json_table($1, '$[*]' columns (id char(32) path '$')) as t
straight_join djob_args on djob_args.id = unhex(t.id)
