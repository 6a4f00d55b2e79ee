-- Wishes that came too late: $1 microseconds old, and the job does not run.
delete from djob_cancels where asked_at <= now() - $1 * interval '1 microsecond'
  and not exists (select 1 from djob_claims as c where c.id = djob_cancels.job)
