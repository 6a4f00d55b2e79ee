-- SQLite keeps a claim's jobs as JSON.
select 1 where exists (select 1 from djob_jobs where id = $1) or exists (select 1 from djob_parked where id = $1)
            or exists (select 1 from djob_finished where id = $1)
            or exists (select 1 from djob_claims as c
                       where c.id = $1 or exists (select 1 from json_each(c.jobs) as job where job.value ->> 0 = hex($1)))
