-- MySQL has no `returning`: a batch of the jobs is locked and read, and what belongs to it is deleted by the statements that
-- follow in the same transaction.
select id from djob_jobs where $1 = '' or queue = $1 limit 10000 for update
