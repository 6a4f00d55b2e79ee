-- SQLite writes one statement at a time, so there are no locked rows to skip. One lane: worker $1, claim $2, lane ($3, $4),
-- cursor ($5, $6), limit $7, and the kinds to take, $8. The claimed jobs are deleted by `taken.sql` in the same transaction.
-- The JSON is put together as text: SQLite's own functions would parse all arguments again, which the table has checked.
insert into djob_claims (id, fence, worker, claimed_at, queue, priority, jobs)
select $2, $2, $1, now(), $3, $4,
       '[' || group_concat('["' || hex(id) || '",' || json_quote(kind) || ',' || run_at || ',' || attempt || ',' || max_attempts
                           || ',' || coalesce(args, 'null') || ',' || coalesce(meta, 'null') || ']') || ']'
from (select * from djob_jobs
      where queue = $3 and priority = $4 and run_at <= now() and (run_at, id) > ($5, $6)
        and ($8 is null or (kind in (select key from json_each($8)) and (meta is null or exists (
            select 1 from json_each($8) as k where k.key = kind
              and k.value >= case when json_type(meta, '$.version') = 'integer' and meta ->> 'version' between 0 and 99999
                                  then meta ->> 'version' else 1 end))))
        and not exists (select 1 from djob_queues as q where q.name = $3 and q.paused_at is not null)
      order by run_at, id limit $7)
having count(*) > 0
returning jobs
