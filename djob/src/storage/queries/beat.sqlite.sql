-- SQLite selects something, and updates in no subquery: `beats_ahead.others.sql` comes before.
update djob_workers set beat_at = now() where id = $1 and beat_at > now() - $2
returning exists (select 1 from djob_workers as w where w.beat_at <= now() - $2),
          exists (select 1 from djob_parked as p where p.reason in ('unknown_kind', 'newer_version')),
          exists (select 1 from djob_claims as c where c.worker = $1 and c.claimed_at <= now() - $2),
          (select max(s.oldest) from djob_schema as s)
