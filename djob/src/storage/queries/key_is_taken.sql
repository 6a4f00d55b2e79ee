-- Whether another job holds the unique key of this finished job.
select 1 from djob_unique as u join djob_finished as f on u.unique_key = f.meta ->> 'unique_key'
where f.id = $1 and u.job <> $1
