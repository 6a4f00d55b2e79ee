-- MySQL takes ids as JSON.
select a.id, a.args from json_table($1, '$[*]' columns (id char(32) path '$')) as t
straight_join djob_args as a on a.id = unhex(t.id)
