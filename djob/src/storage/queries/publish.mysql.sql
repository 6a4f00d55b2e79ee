-- MySQL has another word for a row that is there.
insert into djob_kinds (kind, version, args_schema, queue, priority, delay, max_attempts, computed, hash, published_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now())
on duplicate key update
    args_schema = values(args_schema), queue = values(queue), priority = values(priority), delay = values(delay),
    max_attempts = values(max_attempts), computed = values(computed), hash = values(hash),
    published_at = values(published_at)
