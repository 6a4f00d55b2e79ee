-- MySQL only: what `beat.sql` says besides. Worker $1, lease $2.
select exists (select 1 from djob_workers as w where w.beat_at <= now() - $2),
       exists (select 1 from djob_parked as p where p.reason in ('unknown_kind', 'newer_version')),
       exists (select 1 from djob_claims as c where c.worker = $1 and c.claimed_at <= now() - $2),
       (select max(s.oldest) from djob_schema as s)
