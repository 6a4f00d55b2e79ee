-- MySQL does not say whether an upsert changed anything: an update, and `first_pause.sql` where there is no row yet.
update djob_queues set paused_at = now() where name = $1 and paused_at is null
