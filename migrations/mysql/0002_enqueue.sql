-- Enqueueing from SQL: for triggers, and for programs in other languages. What is wrong with a job is an error, as far as SQL
-- can see it by what the workers have published in djob_kinds; the rest is judged by the worker, which parks it.
--
-- call djob_enqueue('send_welcome', '{"user_id": 7}', null, @id);
-- call djob_enqueue('send_welcome', '{"user_id": 7}', '{"queue": "mail", "delay": 300, "unique": "7"}', @id);
--
-- The job exists if the transaction commits. @id is its id, or that of the unfinished job that has its unique key. An error's
-- text has room for 128 characters.
drop procedure if exists djob_enqueue;

create procedure djob_enqueue(in kind varchar(63), in args longtext, in options longtext, out id char(36))
    sql security invoker
job: begin
    declare the_kind varchar(63) character set utf8mb4 collate utf8mb4_bin default kind;
    declare given longtext character set utf8mb4 collate utf8mb4_bin default coalesce(args, '{}');
    declare wanted longtext character set utf8mb4 collate utf8mb4_bin default coalesce(options, '{}');
    declare of_version, of_priority, of_attempts int;
    declare of_schema, of_computed longtext character set utf8mb4 collate utf8mb4_bin;
    declare of_queue, a_name varchar(255) character set utf8mb4 collate utf8mb4_bin;
    declare of_delay, right_now, due bigint;
    declare meta longtext character set utf8mb4 collate utf8mb4_bin default '{}';
    declare fault, the_key text character set utf8mb4 collate utf8mb4_bin;
    declare the_id, holder binary(16);
    declare continue handler for not found begin end;

    select k.version, k.args_schema, k.queue, k.priority, k.delay, k.max_attempts, k.computed
    into of_version, of_schema, of_queue, of_priority, of_delay, of_attempts, of_computed
    from djob_kinds as k where k.kind = the_kind order by k.version desc limit 1;
    set fault = case
        when of_version is null then 'no worker has published a job of this kind: start one whose code has it, once'
        when length(given) > 262144 then 'arguments: take more than 262144 bytes: store the data and pass its key'
        when not json_valid(given) then 'arguments: are not valid JSON'
        when json_type(given) <> 'OBJECT' then 'arguments: must be a JSON object with one key for each argument'
        when instr(given, '\\u0000') then 'arguments: hold a NUL character, which cannot be stored as text'
        when not json_valid(wanted) or json_type(wanted) <> 'OBJECT' then 'options: must be a JSON object'
    end;
    if fault is null then
        select concat('option ', o.name, ': is unknown') into fault
        from json_table(json_keys(wanted), '$[*]' columns (name varchar(255) path '$')) as o
        where o.name not in ('id', 'queue', 'priority', 'delay', 'run_at', 'retries', 'tags', 'unique') limit 1;
    end if;
    if fault is null and json_extract(of_schema, '$.required') is not null then
        select concat('/', r.name, ': is missing') into fault
        from json_table(json_extract(of_schema, '$.required'), '$[*]' columns (name varchar(255) path '$')) as r
        where not json_contains_path(given, 'one', concat('$."', r.name, '"')) limit 1;
    end if;
    if fault is null and json_extract(of_schema, '$.additionalProperties') = false then
        select concat('/', g.name, ': is not an argument of the job') into fault
        from json_table(json_keys(given), '$[*]' columns (name varchar(255) path '$')) as g
        where not json_contains_path(of_schema, 'one', concat('$.properties."', g.name, '"')) limit 1;
    end if;
    if fault is null then
        select concat('option ', c.name, ': is computed by the code of the job, which SQL cannot do: name it') into fault
        from json_table(of_computed, '$[*]' columns (name varchar(63) path '$')) as c
        where json_extract(wanted, concat('$."', c.name, '"')) is null
          and not (c.name = 'delay' and json_extract(wanted, '$.run_at') is not null) limit 1;
    end if;
    set of_queue = coalesce(json_unquote(json_extract(wanted, '$.queue')), of_queue);
    if fault is null then
        select 'options: the name of a queue or tag has 1 to 63 of a-z 0-9 _ . : -, a letter first' into fault
        from json_table(json_array_append(coalesce(json_extract(wanted, '$.tags'), '[]'), '$', of_queue), '$[*]'
                        columns (name varchar(255) path '$')) as n
        where n.name is null or not (n.name collate utf8mb4_bin regexp '^[a-z][a-z0-9_.:-]{0,62}$') limit 1;
    end if;
    -- Asked before it is read: MySQL's `unhex` fails where MariaDB's is null.
    set a_name = replace(json_unquote(json_extract(wanted, '$.id')), '-', '');
    if fault is null and not (a_name regexp '^[0-9A-Fa-f]{32}$') then
        set fault = 'option id: is no UUID';
    elseif fault is null then
        set the_id = unhex(a_name);
    end if;
    if fault is not null then
        set fault = left(concat('job "', the_kind, '" was refused: ', fault), 128);
        signal sqlstate '45000' set message_text = fault;
    end if;

    set right_now = cast(unix_timestamp(now(6)) * 1000000 as signed);
    if the_id is null then
        -- A UUIDv7: its first 48 bits are the time.
        set the_id = unhex(concat(lpad(hex(right_now div 1000), 12, '0'), '7', right(hex(random_bytes(2)), 3),
                                  '8', right(hex(random_bytes(8)), 15)));
    end if;
    set id = insert(insert(insert(insert(lower(hex(the_id)), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-');
    if exists (select 1 from djob_jobs as j where j.id = the_id) or exists (select 1 from djob_parked as p where p.id = the_id)
       or exists (select 1 from djob_finished as f where f.id = the_id)
       or exists (select 1 from djob_claims as c where c.id = the_id or instr(c.jobs, concat('["', hex(the_id), '"')) > 0) then
        leave job;
    end if;
    set the_key = concat(the_kind, ':', json_unquote(json_extract(wanted, '$.unique')));
    if the_key is not null then
        insert ignore into djob_unique (unique_key, job) values (the_key, the_id);
        select u.job into holder from djob_unique as u where u.unique_key = the_key for update;
        if holder <> the_id then
            set id = insert(insert(insert(insert(lower(hex(holder)), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-');
            leave job;
        end if;
    end if;
    -- `run_at` is a date and a time in UTC.
    set due = greatest(right_now, coalesce(
        timestampdiff(microsecond, '1970-01-01', cast(trim(trailing 'Z' from json_unquote(json_extract(wanted, '$.run_at')))
                                                      as datetime(6))),
        right_now + cast(json_extract(wanted, '$.delay') * 1000000 as signed), right_now + of_delay));
    if of_version > 1 then
        set meta = json_set(meta, '$.version', of_version);
    end if;
    if json_extract(wanted, '$.tags') is not null then
        set meta = json_set(meta, '$.tags', json_extract(wanted, '$.tags'));
    end if;
    if the_key is not null then
        set meta = json_set(meta, '$.unique_key', the_key);
    end if;
    if length(given) > 1024 then
        insert into djob_args (id, args) values (the_id, given);
    end if;
    insert into djob_jobs (id, queue, kind, priority, run_at, max_attempts, args, meta)
    values (the_id, of_queue, the_kind, coalesce(json_extract(wanted, '$.priority'), of_priority), due,
            coalesce(json_extract(wanted, '$.retries') + 1, of_attempts), if(length(given) <= 1024, given, null),
            nullif(meta, '{}'));
end;
