-- A row of this name, which is deleted at once: until this transaction ends, nobody else can make it.
insert into djob_unique (unique_key, job) values (concat('id:', hex($1)), $1)
