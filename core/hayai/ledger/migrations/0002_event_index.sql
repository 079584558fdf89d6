-- The event index: where each event stands in its stream, and how events hang together. It is written by the ledger's
-- role as events pass, may lag behind the stream, and can be built anew from it.

create table hayai.event_index (
    tenant text not null check (tenant <> ''),
    id text not null,
    type text not null,
    key text not null,
    conversation text,
    cause text,
    stream text not null,
    sequence bigint not null,
    "time" timestamptz not null,
    primary key (tenant, id)
) with (autovacuum_vacuum_scale_factor = 0.05);
create index on hayai.event_index (tenant, "time", id);
create index on hayai.event_index (tenant, key, "time");
create index on hayai.event_index (tenant, conversation, "time") where conversation is not null;
create index on hayai.event_index (tenant, cause) where cause is not null;

alter table hayai.event_index enable row level security;
create policy tenant on hayai.event_index to hayai_application using (tenant = current_setting('hayai.tenant', true));
create policy ledger on hayai.event_index to hayai_ledger using (true) with check (true);
grant select on hayai.event_index to hayai_application;
grant select, insert, update, delete on hayai.event_index to hayai_ledger;

-- Which table was last rid of what is too old, and when: one process at a time does it.
create table hayai.retention (
    table_name text primary key,
    begun_at timestamptz not null default '-infinity'
);
insert into hayai.retention (table_name) values ('inbox'), ('effect'), ('suspect'), ('refused'), ('event_index');
grant select, update on hayai.retention to hayai_ledger;

-- A fifth of the table is too much to leave lying when rows go by the hundred thousand.
alter table hayai.inbox set (autovacuum_vacuum_scale_factor = 0.05);
alter table hayai.effect set (autovacuum_vacuum_scale_factor = 0.05);
