-- SQLite keeps a claim's jobs as JSON.
select c.id, c.fence, c.worker, c.queue, c.priority, c.jobs, c.started_at is not null from djob_claims as c
where c.worker = $1 and c.claimed_at <= now() - $2
