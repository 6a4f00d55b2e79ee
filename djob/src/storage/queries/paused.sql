-- The queues that are paused.
select name from djob_queues where paused_at is not null order by name
