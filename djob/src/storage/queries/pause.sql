-- Nothing is claimed from this queue any more.
insert into djob_queues (name, paused_at) values ($1, now())
on conflict (name) do update set paused_at = excluded.paused_at where djob_queues.paused_at is null
