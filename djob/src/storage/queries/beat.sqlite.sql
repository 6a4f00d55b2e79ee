-- SQLite calls greatest max.
update djob_workers set beat_at = max(beat_at, now()) where id = $1 and beat_at > now() - $2
