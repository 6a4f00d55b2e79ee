-- A job that goes back to waiting takes its unique key again, unless another job holds it by now.
insert into djob_unique (unique_key, job)
select j.meta ->> 'unique_key', j.id from djob_jobs as j where j.id = $1 and j.meta ->> 'unique_key' is not null
on conflict (unique_key) do nothing
