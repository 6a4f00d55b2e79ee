-- MySQL only: the first time that a queue is paused.
insert ignore into djob_queues (name, paused_at) values ($1, now())
