-- The next $2 jobs after $1 of which errors are stored, and once more those that are in no room any more. One statement, so
-- that a job on its way between two rooms is seen.
select a.job, case when exists (select 1 from djob_finished as f where f.id = a.job)
                     or exists (select 1 from djob_jobs as j where j.id = a.job)
                     or exists (select 1 from djob_parked as p where p.id = a.job)
                     or exists (select 1 from djob_claims as c where c.id = a.job or c.ids @> array[a.job])
              then null else a.job end
from (select distinct job from djob_attempts where job > $1 order by job limit $2) as a order by a.job
