-- Takes a unique key for a job, unless another job holds it.
insert into djob_unique (key, job) values ($1, $2) on conflict (key) do nothing
