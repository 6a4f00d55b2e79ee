-- PostgreSQL only: makes the partitions of the coming days and drops those whose last day has passed. A day whose rows are
-- in the default partition already stays there, and its rows are pruned one by one.
do $$
declare
    day date;
    old regclass;
begin
    -- One program at a time: the others find it done.
    perform pg_advisory_xact_lock(hashtext('djob_finished'));
    perform set_config('lock_timeout', '2s', true);
    for day in select d::date from generate_series(current_date, current_date + 40, interval '1 day') as d loop
        begin
            execute format('create table if not exists %s partition of djob_finished for values from (%L) to (%L)',
                           'djob_finished_' || to_char(day, 'YYYYMMDD'), day, day + 1);
        exception when check_violation or unique_violation then null;
        end;
    end loop;
    for old in
        select i.inhrelid::regclass from pg_inherits as i join pg_class as c on c.oid = i.inhrelid
        where i.inhparent = 'djob_finished'::regclass and c.relname ~ '_\d{8}$'
          and to_date(right(c.relname, 8), 'YYYYMMDD') < current_date
    loop
        execute format('drop table %s', old);
    end loop;
end $$
