-- Deletes one job's row from djob_parked.
delete from djob_parked where id = $1
