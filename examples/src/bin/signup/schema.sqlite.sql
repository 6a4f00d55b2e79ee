create table if not exists users (
    id      integer primary key,
    name    text not null,
    email   text not null,
    welcome blob not null       -- the id of the job that sends the welcome mail
);

create table if not exists reports (
    id  integer primary key,
    job blob not null           -- the id of the job that builds it
);

create table if not exists days (
    day     text primary key,
    signups integer not null
);
