-- Worker $2 takes the duty $1 for $3 microseconds, if nobody holds it.
insert into djob_duties (name, worker, taken_until) values ($1, $2, now() + $3 * interval '1 microsecond')
on conflict (name) do update set worker = excluded.worker, taken_until = excluded.taken_until
where djob_duties.taken_until <= now()
