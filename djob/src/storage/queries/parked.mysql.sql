-- The second half of what `park_waiting.sql` does: each $1 begins with an id. Only what the first half has copied is deleted:
-- a job that somebody else had at that moment may be back by now.
delete djob_jobs from json_table($1, '$[*]' columns (id char(32) path '$[0]')) as m
straight_join djob_parked as p on p.id = unhex(m.id)
straight_join djob_jobs on djob_jobs.id = p.id
