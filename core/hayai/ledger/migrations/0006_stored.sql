-- How much of a stream each tenant has filled, by the day on which it was stored (UTC). It is counted with the index, in
-- the same statement, for the limits of tenants; it is no tenant's to read.
create table hayai.stored (
    stream text not null,
    born text not null,
    day date not null,
    tenant text not null check (tenant <> ''),
    events bigint not null,
    bytes bigint not null,
    primary key (stream, born, day, tenant)
) with (fillfactor = 50);
comment on column hayai.stored.born is 'When the stream was made, in its own words: what an earlier one held is gone.';
alter table hayai.stored enable row level security;
create policy ledger on hayai.stored to hayai_ledger using (true) with check (true);
grant select, insert, update, delete on hayai.stored to hayai_ledger;

insert into hayai.retention (table_name) values ('stored');
