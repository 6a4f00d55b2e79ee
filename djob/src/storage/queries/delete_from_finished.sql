-- Deletes one job's row from djob_finished.
delete from djob_finished where id = $1
