-- PostgreSQL only: who stores a job of this id does so alone until the transaction ends.
select pg_advisory_xact_lock(hashtextextended('djob_jobs' || $1::text, 0))
