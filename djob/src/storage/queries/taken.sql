-- The second half of `claim.sqlite.sql`: what went into the claim leaves the waiting room.
delete from djob_jobs where id in (
    select id from djob_jobs
    where queue = $1 and priority = $2 and run_at <= now() and (run_at, id) > ($3, $4)
    order by run_at, id limit $5)
