-- What was said $1 microseconds ago or earlier, by jobs that do not run any more. (A job that shares its claim row has no
-- row under its own id yet.)
delete from djob_progress where said_at <= now() - $1 * interval '1 microsecond'
  and not exists (select 1 from djob_claims as c where c.id = djob_progress.job)
