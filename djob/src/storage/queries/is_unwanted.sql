-- Whether somebody wants this job to stop. Held until the transaction ends, so that a retry, which drops the wish, comes either
-- before it or after it.
select 1 from djob_cancels where job = $1 for update
