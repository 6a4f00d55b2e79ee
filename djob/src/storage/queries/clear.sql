-- Forgets every waiting job of the queue $1, or of all queues if it is empty, and what belonged to them.
with gone as (
    delete from djob_jobs where $1 = '' or queue = $1 returning id
), keys as (
    delete from djob_unique where job in (select id from gone)
), args as (
    delete from djob_args where id in (select id from gone)
), errors as (
    delete from djob_attempts where job in (select id from gone)
)
select count(*) from gone
