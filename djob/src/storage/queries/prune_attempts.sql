-- Errors of jobs that are in no room any more, oldest first; $1 microseconds old at least, so that none is on the move.
delete from djob_attempts where ctid = any (array (
    select a.ctid from djob_attempts as a
    where a.ended_at <= now() - $1 * interval '1 microsecond'
      and not exists (select from djob_finished as f where f.id = a.job)
      and not exists (select from djob_jobs as j where j.id = a.job)
      and not exists (select from djob_parked as p where p.id = a.job)
      and not exists (select from djob_claims as c where c.id = a.job or c.ids @> array[a.job])
    limit $2))
