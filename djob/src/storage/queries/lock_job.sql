-- MySQL only: who moves a job from room to room by a copy and a delete locks its row first.
(select 1 from djob_jobs where id = $1 for update) union all (select 1 from djob_parked where id = $1 for update)
union all (select 1 from djob_finished where id = $1 for update)
