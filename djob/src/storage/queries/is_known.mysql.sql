-- MySQL keeps a claim's jobs as JSON, in which an id stands once: to look for it is cheaper than to take all apart.
select 1 from dual
where exists (select 1 from djob_jobs where id = $1) or exists (select 1 from djob_parked where id = $1)
   or exists (select 1 from djob_finished where id = $1)
   or exists (select 1 from djob_claims as c where c.id = $1 or instr(c.jobs, concat('["', hex($1), '"')) > 0)
