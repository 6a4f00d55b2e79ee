-- Deletes one job's row from djob_attempts.
delete from djob_attempts where job = $1
