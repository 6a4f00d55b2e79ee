-- A job that is finished gives back its unique key.
delete from djob_unique where unique_key = $1 and job = $2
