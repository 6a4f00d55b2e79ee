-- A part of `clear.mysql.sql`. Each $1 is an id.
delete djob_unique from json_table($1, '$[*]' columns (id char(32) path '$')) as t
straight_join djob_unique on djob_unique.job = unhex(t.id)
