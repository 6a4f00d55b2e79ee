-- MySQL limits a delete itself.
delete from djob_attempts
where ended_at <= now() - $1
  and not exists (select 1 from djob_finished as f where f.id = djob_attempts.job)
  and not exists (select 1 from djob_jobs as j where j.id = djob_attempts.job)
  and not exists (select 1 from djob_parked as p where p.id = djob_attempts.job)
  and not exists (select 1 from djob_claims as c
                  where c.id = djob_attempts.job
                     or instr(c.jobs, concat('["', hex(djob_attempts.job), '"')) > 0)
limit $2
