-- A worker says what a kind of its promises. What is there already and the same is left alone.
insert into djob_kinds (kind, version, args_schema, queue, priority, delay, max_attempts, computed, hash, published_at)
values ($1, $2, $3::json, $4, $5, $6, $7, $8::json, $9, now())
on conflict (kind, version) do update
set args_schema = excluded.args_schema, queue = excluded.queue, priority = excluded.priority, delay = excluded.delay,
    max_attempts = excluded.max_attempts, computed = excluded.computed, hash = excluded.hash,
    published_at = excluded.published_at
where djob_kinds.hash <> excluded.hash
