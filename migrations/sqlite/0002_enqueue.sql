-- Enqueueing from SQL: for triggers, and for programs in other languages that have the file. What is wrong with a job is an
-- error, as far as SQL can see it by what the workers have published in djob_kinds; the rest is judged by the worker, which
-- parks it. SQLite's errors are fixed texts, so that they name the rule and not the place.
--
-- insert into djob_enqueue (kind, args) values ('send_welcome', '{"user_id": 7}');
-- insert into djob_enqueue (kind, args, options) values ('send_welcome', '{"user_id": 7}', '{"queue": "mail", "delay": 300}');
--
-- The schema of a file must be readable by whoever opens it: no syntax here is newer than SQLite 3.37. To enqueue takes 3.41.

-- What is being enqueued, while it is: never more than one row, and none outside of the trigger.
create table djob_asked (
    id           blob,
    kind         text,
    args         text,
    options      text,
    now          integer,
    version      integer,
    args_schema  text,
    queue        text,
    priority     integer,
    delay        integer,
    max_attempts integer,
    computed     text,
    unique_key   text
) strict;

create view djob_enqueue (kind, args, options) as select '', '{}', '{}' where false;

create trigger djob_enqueue_insert instead of insert on djob_enqueue
begin
    select case
        when not exists (select 1 from djob_kinds where kind = new.kind)
            then raise(abort, 'djob: no worker has published a job of this kind')
        when length(cast(new.args as blob)) > 262144
            then raise(abort, 'djob: the arguments take more than 262144 bytes: store the data and pass its key')
        when not json_valid(coalesce(new.args, '{}')) then raise(abort, 'djob: the arguments are not valid JSON')
        when instr(new.args, '\u0000') then raise(abort, 'djob: the arguments hold a NUL character')
        when not json_valid(coalesce(new.options, '{}')) then raise(abort, 'djob: the options are not valid JSON')
    end;
    select case
        when json_type(coalesce(new.args, '{}')) <> 'object'
            then raise(abort, 'djob: the arguments must be a JSON object with one key for each argument')
        when json_type(coalesce(new.options, '{}')) <> 'object'
            then raise(abort, 'djob: the options must be a JSON object')
        when exists (select 1 from json_each(new.options) where key not in (
                     'id', 'queue', 'priority', 'delay', 'run_at', 'retries', 'tags', 'unique'))
            then raise(abort, 'djob: unknown option; there are id, queue, priority, delay, run_at, retries, tags, unique')
        when json_extract(new.options, '$.id') is not null
             and unhex(json_extract(new.options, '$.id'), '-') is null
            then raise(abort, 'djob: the id is no UUID')
    end;
    insert into djob_asked
    select coalesce(
               unhex(json_extract(new.options, '$.id'), '-'),
               -- A UUIDv7: its first 48 bits are the time.
               unhex(printf('%012x', (julianday('now') - 2440587.5) * 86400000) || '7' || substr(hex(randomblob(2)), 2)
                     || '8' || substr(hex(randomblob(8)), 2))),
           kind, coalesce(new.args, '{}'), coalesce(new.options, '{}'),
           cast(round((julianday('now') - 2440587.5) * 86400000) as integer) * 1000, version, args_schema,
           coalesce(json_extract(new.options, '$.queue'), queue),
           coalesce(json_extract(new.options, '$.priority'), priority), delay,
           coalesce(json_extract(new.options, '$.retries') + 1, max_attempts), computed,
           kind || ':' || json_extract(new.options, '$.unique')
    from djob_kinds where kind = new.kind order by version desc limit 1;
    select case
        when exists (select 1 from djob_asked, json_each(djob_asked.args) as given group by given.key having count(*) > 1)
            then raise(abort, 'djob: an argument is there twice')
        when exists (select 1 from djob_asked, json_each(djob_asked.args_schema, '$.required') as required
                     where not exists (select 1 from json_each(djob_asked.args) as given where given.key = required.value))
            then raise(abort, 'djob: an argument is missing')
        when exists (select 1 from djob_asked, json_each(djob_asked.args) as given
                     where json_extract(args_schema, '$.additionalProperties') = 0
                       and not exists (select 1 from json_each(djob_asked.args_schema, '$.properties') as known
                                       where known.key = given.key))
            then raise(abort, 'djob: an argument is unknown')
        when exists (select 1 from djob_asked, json_each(djob_asked.computed) as computed
                     where json_extract(djob_asked.options, '$.' || computed.value) is null
                       and not (computed.value = 'delay' and json_extract(djob_asked.options, '$.run_at') is not null))
            then raise(abort, 'djob: an option is computed by the code of the job, which SQL cannot do: name it')
        when exists (select 1 from djob_asked, json_each(json_insert(
                         coalesce(json_extract(djob_asked.options, '$.tags'), '[]'), '$[#]', djob_asked.queue)) as name
                     where name.type <> 'text' or name.value not glob '[a-z]*' or name.value glob '*[^a-z0-9_.:-]*'
                        or length(name.value) > 63)
            then raise(abort, 'djob: the name of a queue or tag has 1 to 63 of a-z 0-9 _ . : -, a letter first')
    end;
    -- It may be there already, under its id or its unique key.
    delete from djob_asked
    where exists (select 1 from djob_jobs as j where j.id = djob_asked.id)
       or exists (select 1 from djob_parked as p where p.id = djob_asked.id)
       or exists (select 1 from djob_finished as f where f.id = djob_asked.id)
       or exists (select 1 from djob_claims as c where c.id = djob_asked.id or exists (
              select 1 from json_each(c.jobs) as job where json_extract(job.value, '$[0]') = hex(djob_asked.id)));
    insert or ignore into djob_unique (unique_key, job) select unique_key, id from djob_asked where unique_key is not null;
    delete from djob_asked
    where unique_key is not null and not exists (
        select 1 from djob_unique as u where u.unique_key = djob_asked.unique_key and u.job = djob_asked.id);
    insert into djob_args (id, args) select id, args from djob_asked where length(cast(args as blob)) > 1024;
    insert into djob_jobs (id, queue, kind, priority, run_at, max_attempts, args, meta)
    select id, queue, kind, priority,
           max(now, coalesce(
               cast(round((julianday(json_extract(options, '$.run_at')) - 2440587.5) * 86400000) as integer) * 1000,
               now + cast(json_extract(options, '$.delay') * 1000000 as integer), now + delay)),
           max_attempts, case when length(cast(args as blob)) <= 1024 then args end,
           nullif(json_patch('{}', json_object('version', nullif(version, 1), 'tags', json(json_extract(options, '$.tags')),
                                               'unique_key', unique_key)), '{}')
    from djob_asked;
    delete from djob_asked;
end;
