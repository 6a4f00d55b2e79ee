-- Enqueueing from SQL: for triggers, and for programs in other languages. What is wrong with a job is an error, as far as SQL
-- can see it by what the workers have published in djob_kinds; the rest is judged by the worker, which parks it.
--
-- select djob_enqueue('send_welcome', '{"user_id": 7}');
-- select djob_enqueue('send_welcome', '{"user_id": 7}', '{"queue": "mail", "delay": 300, "unique": "7"}');
--
-- The job exists if the transaction commits. The answer is its id, or the id of the unfinished job that has its unique key.

-- What is wrong with arguments, by the outermost level of their schema: places and rules, never a value.
create function djob_faults(args json, args_schema json) returns text[]
language sql stable set search_path from current as $$
    with given as (
        select key, value, json_typeof(value) as type, count(*) over (partition by key) as times from json_each(args)
    ), known as (
        select key, case json_typeof(value -> 'type') when 'array' then value -> 'type'
                         when 'string' then json_build_array(value ->> 'type') end as types
        from json_each(args_schema -> 'properties') where json_typeof(value) = 'object'
    ), fault as (
        select '/' || name || ': is missing' as fault
        from json_array_elements_text(coalesce(args_schema -> 'required', '[]')) as name
        where not exists (select from given where key = name)
        union
        select '/' || key || ': is not an argument of the job' from given
        where args_schema ->> 'additionalProperties' = 'false' and (args_schema -> 'properties' -> key) is null
        union
        select '/' || key || ': is there twice: keep one' from given where times > 1
        union
        select '/' || key || ': must be of the type '
               || (select string_agg(wanted, ' or ') from json_array_elements_text(types) as wanted)
        from given join known using (key)
        where types is not null and not exists (
            select from json_array_elements_text(types) as wanted
            where wanted = type or (wanted = 'integer' and type = 'number' and given.value::text !~ '[.eE]'))
    )
    select coalesce(array_agg(fault order by fault), '{}') from fault
$$;

create function djob_enqueue(kind text, args json default '{}', options json default '{}') returns uuid
language plpgsql set search_path from current as $$
#variable_conflict use_column
<<job>>
declare
    of_kind     djob_kinds;
    faults      text[];
    name        text;
    id          uuid := nullif(options ->> 'id', '');
    queue       text := options ->> 'queue';
    priority    smallint := options ->> 'priority';
    due         timestamptz := coalesce((options ->> 'run_at')::timestamptz,
                                        now() + (options ->> 'delay')::double precision * interval '1 second');
    attempts    integer := (options ->> 'retries')::integer + 1;
    unique_key  text := djob_enqueue.kind || ':' || (options ->> 'unique');
    holder      uuid;
    meta        json;
begin
    select * into of_kind from djob_kinds where kind = djob_enqueue.kind order by version desc limit 1;
    if not found then
        raise exception 'no worker has published a job of the kind "%"', djob_enqueue.kind
            using errcode = 'invalid_parameter_value',
                  hint = 'Start a worker whose code has it, once, and it is known.';
    end if;
    select array_agg('option ' || key || ': is unknown; there are id, queue, priority, delay, run_at, retries, tags, unique')
    into faults from json_object_keys(options) as key
    where key <> all (array['id', 'queue', 'priority', 'delay', 'run_at', 'retries', 'tags', 'unique']);
    faults := coalesce(faults, '{}');
    if octet_length(args::text) > 262144 then
        faults := faults || 'arguments: take more than 262144 bytes: store the data and pass its key'::text;
    elsif json_typeof(args) is distinct from 'object' then
        faults := faults || 'arguments: must be a JSON object with one key for each argument'::text;
    else
        begin
            perform args::jsonb;
            faults := faults || djob_faults(args, of_kind.args_schema);
        exception when others then
            faults := faults || 'arguments: hold a character that cannot be stored as text, such as NUL'::text;
        end;
    end if;
    foreach name in array coalesce(array(select json_array_elements_text(of_kind.computed)), '{}') loop
        if (options ->> name) is null and not (name = 'delay' and due is not null) then
            faults := faults || format('option %s: is computed by the job''s code, which SQL cannot do: name it', name);
        end if;
    end loop;
    foreach name in array array_remove(queue || coalesce(array(select json_array_elements_text(options -> 'tags')), '{}'), null) loop
        if name !~ '^[a-z][a-z0-9_.:-]{0,62}$' then
            faults := faults || 'options: a queue''s or tag''s name has 1 to 63 of a-z 0-9 _ . : -, a letter first'::text;
        end if;
    end loop;
    if due > now() + interval '3650 days' then
        faults := faults || 'options: it is scheduled more than ten years ahead'::text;
    end if;
    if cardinality(faults) > 0 then
        raise exception 'job "%" was refused: %', djob_enqueue.kind, array_to_string(faults, '; ')
            using errcode = 'invalid_parameter_value';
    end if;

    if job.id is null then
        -- A UUIDv7: its first 48 bits are the time.
        job.id := lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
                  || substr(replace(gen_random_uuid()::text, '-', ''), 14);
    else
        perform pg_advisory_xact_lock(hashtextextended('djob_jobs' || job.id::text, 0));
        if exists (select from djob_jobs where id = job.id) or exists (select from djob_parked where id = job.id)
           or exists (select from djob_finished where id = job.id)
           or exists (select from djob_claims where id = job.id or ids @> array[job.id]) then
            return job.id;
        end if;
    end if;
    while unique_key is not null loop
        insert into djob_unique (unique_key, job) values (job.unique_key, job.id) on conflict (unique_key) do nothing;
        exit when found;
        select u.job into holder from djob_unique as u where u.unique_key = job.unique_key;
        if found then
            return holder;
        end if;
    end loop;
    meta := json_strip_nulls(json_build_object('version', nullif(of_kind.version, 1), 'tags', options -> 'tags',
                                               'unique_key', unique_key));
    if octet_length(args::text) > 1024 then
        insert into djob_args (id, args) values (job.id, djob_enqueue.args);
    end if;
    insert into djob_jobs (id, queue, kind, priority, run_at, max_attempts, args, meta)
    values (job.id, coalesce(job.queue, of_kind.queue), djob_enqueue.kind, coalesce(job.priority, of_kind.priority),
            greatest(now(), coalesce(due, now() + of_kind.delay * interval '1 microsecond')),
            coalesce(attempts, of_kind.max_attempts),
            case when octet_length(djob_enqueue.args::text) <= 1024 then djob_enqueue.args end, nullif(job.meta::text, '{}')::json);
    -- Workers look by themselves, too; this is for the time until then.
    perform pg_notify('djob_wake', '');
    return job.id;
end $$;
