-- A part of what `beat.sql` says on PostgreSQL: beats of others that lie ahead, because the clock was set back, count as of now.
update djob_workers set beat_at = now() where beat_at > now() + 1000000 and id <> $1
