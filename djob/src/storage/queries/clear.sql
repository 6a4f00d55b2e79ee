-- Every waiting job of the queue $1, or of all queues if it is empty.
delete from djob_jobs where $1 = '' or queue = $1
