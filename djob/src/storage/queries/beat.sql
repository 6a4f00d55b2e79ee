-- A worker says that it lives, and hears whether a worker is silent, an unknown kind is parked, and it holds an old claim. One
-- that was silent for longer than the lease itself ($2 microseconds) is not believed: others may have taken its jobs already.
update djob_workers set beat_at = greatest(beat_at, now())
where id = $1 and beat_at > now() - $2 * interval '1 microsecond'
returning exists (select from djob_workers as w where w.beat_at <= now() - $2 * interval '1 microsecond'),
          exists (select from djob_parked as p where p.reason = 'unknown_kind'),
          exists (select from djob_claims as c where c.worker = $1 and c.claimed_at <= now() - $2 * interval '1 microsecond')
