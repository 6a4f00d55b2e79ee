-- The kinds of jobs that are parked for reason $1, each found by a seek behind the one before: there may be a million of each.
with recursive parked (kind) as (
    select min(p.kind) from djob_parked as p where p.reason = $1
    union all
    select (select min(p.kind) from djob_parked as p where p.reason = $1 and p.kind > parked.kind)
    from parked where parked.kind is not null
)
select kind from parked where kind is not null
