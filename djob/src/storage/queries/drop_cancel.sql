-- The wish to stop this job has been met, or came too late.
delete from djob_cancels where job = $1
