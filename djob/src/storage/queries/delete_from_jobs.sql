-- Deletes one job's row from djob_jobs.
delete from djob_jobs where id = $1
