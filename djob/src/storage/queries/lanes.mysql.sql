-- A procedure: MySQL has no seeking from one lane to the next within a statement.
call djob_lanes($1, $2, now())
