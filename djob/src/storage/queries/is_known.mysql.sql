-- MySQL keeps a claim's jobs as JSON.
select 1 from dual
where exists (select 1 from djob_jobs where id = $1) or exists (select 1 from djob_parked where id = $1)
   or exists (select 1 from djob_finished where id = $1)
   or exists (select 1 from djob_claims as c
              where c.id = $1
                 or exists (select 1 from json_table(c.jobs, '$[*]' columns (id char(32) path '$[0]')) as job
                            where job.id = hex($1)))
