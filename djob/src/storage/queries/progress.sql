-- How far a job has come, if it said.
select fraction from djob_progress where job = $1
