-- A part of `enqueue.mysql.sql`: arguments over 1 KB.
insert into djob_args (id, args)
select unhex(n.id), n.args from json_table($1, '$[*]' columns (id char(32) path '$[0]', args longtext path '$[1]')) as n
