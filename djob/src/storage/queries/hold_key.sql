-- Takes a unique key for a job, unless another job holds it.
insert into djob_unique (unique_key, job) values ($1, $2) on conflict (unique_key) do nothing
