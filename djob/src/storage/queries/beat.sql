-- A worker says that it lives, and hears whether a worker is silent, whether jobs are parked that await a worker who reads
-- them, whether it holds an old claim, and which programs may still work on the tables. One that was silent for longer than
-- the lease itself ($2 microseconds) is not believed: others may have taken its jobs already.
-- If the clock was set back, beats of before lie ahead, and a worker that died would seem alive until it is that late again:
-- they count as of now.
with ahead as (
    update djob_workers set beat_at = now() where beat_at > now() + interval '1 second' and id <> $1)
update djob_workers set beat_at = now()
where id = $1 and beat_at > now() - $2 * interval '1 microsecond'
returning exists (select from djob_workers as w where w.beat_at <= now() - $2 * interval '1 microsecond'),
          exists (select from djob_parked as p where p.reason in ('unknown_kind', 'newer_version')),
          exists (select from djob_claims as c where c.worker = $1 and c.claimed_at <= now() - $2 * interval '1 microsecond'),
          (select max(s.oldest) from djob_schema as s)
