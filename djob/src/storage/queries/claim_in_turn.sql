-- PostgreSQL only: what `claim.sql` does, but alone, and without locking each row; the function is in the migrations. A row
-- of nulls says that the turn did not come.
select id, fence, worker, queue, priority, ids, kinds, run_ats, attempts, max_attempts, args, metas, false
from djob_claim_in_turn($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
