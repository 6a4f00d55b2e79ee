-- The kinds of jobs that wait for a worker that knows them.
select distinct kind from djob_parked where reason = 'unknown_kind'
