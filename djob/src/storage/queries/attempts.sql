-- The errors of one job's past attempts.
select attempt, ended_at, ran_us, worker, error from djob_attempts where job = $1 order by attempt
