-- Gives back whatever unique key this job holds.
delete from djob_unique where job = $1
