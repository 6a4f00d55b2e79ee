-- The last step of `unparkable.others.sql`.
delete djob_parked from json_table($1, '$[*]' columns (id char(32) path '$')) as t
straight_join djob_parked on djob_parked.id = unhex(t.id)
