-- A part of what `settle.sql` does: large arguments of jobs that left for good. Each $1 is an id.
delete from djob_args where id in (select unhex(value) from json_each($1))
