-- A job that goes back to waiting begins anew.
delete from djob_progress where job = $1
