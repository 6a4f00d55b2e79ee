-- SQLite keeps a claim's jobs as JSON.
select c.id, c.fence, c.worker, c.queue, c.priority, c.jobs, c.started_at is not null from djob_claims as c
where c.id = $1 or exists (select 1 from json_each(c.jobs) as job where job.value ->> 0 = hex($1))
limit 1
