-- MySQL keeps a claim's jobs as JSON.
select c.id, c.fence, c.worker, c.queue, c.priority, c.jobs, c.started_at is not null from djob_claims as c
where c.id = $1
   or exists (select 1 from json_table(c.jobs, '$[*]' columns (id char(32) path '$[0]')) as job where job.id = hex($1))
limit 1
