-- The common case of `settle.sql`: every job of these claims completed and none is kept, so that only the claims go.
delete from djob_claims as c using unnest($1::uuid[], $2::uuid[]) as ended (id, fence)
where c.id = ended.id and c.fence = ended.fence and c.worker = $3
returning c.id
