-- PostgreSQL only: the usual case of `enqueue.sql`, one job whose arguments are small. It costs two thirds of that.
insert into djob_jobs (id, queue, kind, priority, run_at, max_attempts, args, meta)
values ($1, $2, $3, $4, greatest(now(), coalesce($8::timestamptz, now() + $9::bigint * interval '1 microsecond')), $5,
        $6::text::json, $7::text::json)
