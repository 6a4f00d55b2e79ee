-- The second half of `unpark.mysql.sql`: only what has been copied, since another could be parked in between.
delete djob_parked from djob_parked join djob_jobs on djob_jobs.id = djob_parked.id
where djob_parked.reason = 'unknown_kind' and djob_parked.kind = $1
