-- SQLite keeps a claim's jobs as JSON.
select c.id, c.fence, c.worker, c.queue, c.priority, c.jobs, c.started_at is not null from djob_claims as c
where not exists (select 1 from djob_workers as w where w.id = c.worker and w.beat_at > now() - $1)
  and c.id > $2
order by c.id
limit $3
