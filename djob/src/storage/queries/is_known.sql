-- Whether there is a job of this id, in whatever room: one statement, so that a job on its way between two rooms is seen.
select 1 where exists (select 1 from djob_jobs where id = $1) or exists (select 1 from djob_parked where id = $1)
            or exists (select 1 from djob_finished where id = $1)
            or exists (select 1 from djob_claims as c where c.id = $1 or c.ids @> array[$1])
