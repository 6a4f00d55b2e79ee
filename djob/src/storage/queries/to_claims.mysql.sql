-- A part of what `settle.sql` does: jobs that still run get claim rows of their own, under the same fence. Worker $2.
insert into djob_claims (id, fence, worker, claimed_at, started_at, queue, priority, jobs)
select unhex(m.id), unhex(m.fence), $2, now(), case when m.started = 1 then now() end, m.queue, m.priority, m.jobs
from json_table($1, '$[*]' columns (
    id char(32) path '$[0]', fence char(32) path '$[1]', started tinyint path '$[2]', queue varchar(63) path '$[3]',
    priority smallint path '$[4]', jobs longtext path '$[5]')) as m
