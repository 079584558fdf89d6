-- How far each handler has come in each partition. The bus keeps that itself; this is for when it has lost it while nobody
-- was at work there. It holds no tenant's rows.
create table hayai.place (
    name text primary key,
    born text not null,
    floor bigint not null,
    kept_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);
comment on column hayai.place.name is 'The consumer of the handler in the partition.';
comment on column hayai.place.born is 'When the stream was made, in its own words: one that was made later counts anew.';
comment on column hayai.place.floor is 'Up to this sequence of the stream nothing was left to do, and perhaps further.';
grant select, insert, update, delete on hayai.place to hayai_ledger;
