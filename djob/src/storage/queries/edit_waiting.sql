-- A waiting job gets other arguments; null if they lie apart.
update djob_jobs set args = $2::json, meta = $3::json where id = $1
