-- Asks whoever runs this job to stop.
insert into djob_cancels (job, asked_at) values ($1, now()) on conflict (job) do nothing
