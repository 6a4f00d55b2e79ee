-- SQLite only: the second half of `claim.sqlite.sql`: what lies in lane ($1, $2) from the first job that was claimed ($3, $4) to
-- the last ($5, $6), of the same kinds, $7. Nobody writes between the two.
delete from djob_jobs where queue = $1 and priority = $2 and (run_at, id) >= ($3, $4) and (run_at, id) <= ($5, $6)
  and ($7 is null or (kind in (select key from json_each($7)) and (meta is null or exists (
      select 1 from json_each($7) as k where k.key = kind
        and k.value >= case when json_type(meta, '$.version') = 'integer' and meta ->> 'version' between 0 and 99999
                            then meta ->> 'version' else 1 end))))
