-- A part of `clear.mysql.sql`. Each $1 is an id.
delete djob_attempts from json_table($1, '$[*]' columns (id char(32) path '$')) as t
straight_join djob_attempts on djob_attempts.job = unhex(t.id)
