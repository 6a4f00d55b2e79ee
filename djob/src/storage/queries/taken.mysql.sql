-- The ids are known by now, and locked. `straight_join`: from each id to its row.
delete djob_jobs from json_table($1, '$[*]' columns (id char(32) path '$')) as t
straight_join djob_jobs on djob_jobs.id = unhex(t.id)
