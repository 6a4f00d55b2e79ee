-- SQLite: djob_attempts has no rowid, so that its key is compared.
delete from djob_attempts where (job, attempt) in (
    select a.job, a.attempt from djob_attempts as a
    where a.ended_at <= now() - $1
      and not exists (select 1 from djob_finished as f where f.id = a.job)
      and not exists (select 1 from djob_jobs as j where j.id = a.job)
      and not exists (select 1 from djob_parked as p where p.id = a.job)
      and not exists (select 1 from djob_claims as c
                      where c.id = a.job or exists (select 1 from json_each(c.jobs) as job where job.value ->> 0 = hex(a.job)))
    limit $2)
