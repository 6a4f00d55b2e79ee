-- Whether somebody wants this job to stop.
select 1 from djob_cancels where job = $1
