-- The queue is claimed from again.
update djob_queues set paused_at = null where name = $1 and paused_at is not null
