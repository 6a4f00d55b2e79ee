-- SQLite keeps a claim's jobs as JSON.
select a.job, case when exists (select 1 from djob_finished as f where f.id = a.job)
                     or exists (select 1 from djob_jobs as j where j.id = a.job)
                     or exists (select 1 from djob_parked as p where p.id = a.job)
                     or exists (select 1 from djob_claims as c where c.id = a.job or exists (
                         select 1 from json_each(c.jobs) as job where job.value ->> 0 = hex(a.job)))
              then null else a.job end
from (select distinct job from djob_attempts where job > $1 order by job limit $2) as a order by a.job
