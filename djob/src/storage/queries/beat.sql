-- A worker says that it lives. One that was silent for longer than the lease ($2 microseconds) is not believed: others
-- may have taken its jobs already.
update djob_workers set beat_at = greatest(beat_at, now())
where id = $1 and beat_at > now() - $2 * interval '1 microsecond'
