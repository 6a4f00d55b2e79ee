-- MySQL has no `returning`: `news.sql` follows.
update djob_workers set beat_at = now() where id = $1 and beat_at > now() - $2
