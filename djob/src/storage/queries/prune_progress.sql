-- What was said by jobs that do not run any more. A job that says something has run for a while, in a claim row of its own.
delete from djob_progress where not exists (select 1 from djob_claims as c where c.id = djob_progress.job)
