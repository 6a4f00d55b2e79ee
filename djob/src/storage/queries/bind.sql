-- MySQL only: binds jobs into the claim row $1 of worker $2.
insert into djob_claims (id, fence, worker, claimed_at, queue, priority, jobs) values ($1, $1, $2, now(), $3, $4, $5)
