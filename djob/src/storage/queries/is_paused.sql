-- MySQL only: asked apart from the claim, whose locks would be taken here, too.
select 1 from djob_queues where name = $1 and paused_at is not null
