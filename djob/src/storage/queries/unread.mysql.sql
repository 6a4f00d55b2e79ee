-- What `unread.sql` says, with MySQL's functions for JSON.
select head.id, head.version, knows.version
from (select id, kind, cast(version as signed) as version from djob_jobs force index (djob_jobs_lane)
      where queue = $1 and priority = $2 and run_at <= now() order by run_at, id limit $3) as head
left join (select k.kind, max(cast(json_unquote(json_extract(w.kinds, concat('$.', json_quote(k.kind)))) as signed)) as version
           from djob_workers as w
           join json_table(json_keys(w.kinds), '$[*]' columns (kind varchar(63) path '$')) as k
           where w.beat_at > now() - $4 group by k.kind) as knows on knows.kind = head.kind
where knows.version is null or head.version > knows.version
