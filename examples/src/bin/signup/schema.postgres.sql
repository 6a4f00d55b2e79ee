-- Two processes that start at once would both find no table and both create it: one waits for the other.
select pg_advisory_xact_lock(20261124);

create table if not exists users (
    id      bigint generated always as identity primary key,
    name    text not null,
    email   text not null,
    welcome uuid not null       -- the id of the job that sends the welcome mail
);

create table if not exists reports (
    id  bigint generated always as identity primary key,
    job uuid not null           -- the id of the job that builds it
);

create table if not exists days (
    day     date primary key,
    signups bigint not null
);
