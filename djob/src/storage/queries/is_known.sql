-- Whether there is a job of this id, in whatever room.
select 1 where exists (select 1 from djob_jobs where id = $1) or exists (select 1 from djob_parked where id = $1)
            or exists (select 1 from djob_finished where id = $1)
