-- SQLite only: the second half of `claim.sqlite.sql`: what lies in lane ($1, $2) between the cursor ($3, $4) and the last job
-- that was claimed ($5, $6). Nobody writes between the two.
delete from djob_jobs where queue = $1 and priority = $2 and (run_at, id) > ($3, $4) and (run_at, id) <= ($5, $6)
