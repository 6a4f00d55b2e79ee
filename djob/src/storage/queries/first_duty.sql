-- MySQL only: the first time that a duty is taken.
insert ignore into djob_duties (name, worker, taken_until) values ($1, $2, now() + $3)
