-- The second half of what `park_waiting.sql` does: each $1 begins with an id.
delete from djob_jobs where id in (select unhex(value ->> 0) from json_each($1))
