-- PostgreSQL only: waits for this claimer's turn, which lasts until the transaction ends, but not for long.
select set_config('lock_timeout', '50ms', true), pg_advisory_xact_lock(hashtextextended('djob_jobs', 1))
