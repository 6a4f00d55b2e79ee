-- What `unread.sql` says, with SQLite's functions for JSON.
select head.id, head.version, knows.version
from (select id, kind, case when json_type(meta, '$.version') = 'integer' and meta ->> 'version' between 0 and 99999
                            then meta ->> 'version' else 1 end as version from djob_jobs
      where queue = $1 and priority = $2 and run_at <= now() order by run_at, id limit $3) as head
left join (select k.key as kind, max(k.value) as version from djob_workers as w, json_each(w.kinds) as k
           where w.beat_at > now() - $4 group by k.key) as knows on knows.kind = head.kind
where knows.version is null or head.version > knows.version
