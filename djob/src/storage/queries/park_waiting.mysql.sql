-- MySQL has no deletes inside of WITH: `parked.mysql.sql` follows. Each $1 is [id, reason, detail, version]. `straight_join`:
-- from each id to its row; a subquery, since MySQL locks no rows beside a `json_table`.
insert into djob_parked (id, queue, kind, priority, run_at, attempt, max_attempts, args, meta, reason, detail, version,
                         parked_at)
select j.id, j.queue, j.kind, j.priority, j.run_at, j.attempt, j.max_attempts, j.args, j.meta, m.reason, m.detail, m.version, now()
from (select * from json_table($1, '$[*]' columns (
    id char(32) path '$[0]', reason varchar(63) path '$[1]', detail longtext path '$[2]', version int path '$[3]')) as n) as m
straight_join djob_jobs as j on j.id = unhex(m.id)
for update
