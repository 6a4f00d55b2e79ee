-- How far a running job has come.
insert into djob_progress (job, fraction, said_at) values ($1, $2, now())
on conflict (job) do update set fraction = excluded.fraction, said_at = excluded.said_at
