-- Who is behind an address. The ids are random, so that nothing that travels with them leads back to a number.

create table hayai.contact (
    tenant text not null check (tenant <> ''),
    kind text not null check (kind <> ''),
    address text not null check (address <> ''),
    person text not null,
    conversation text not null,
    via text not null,
    met_at timestamptz not null default now(),
    seen_at timestamptz not null default clock_timestamp(),
    primary key (tenant, kind, address)
);
create index on hayai.contact (tenant, person);
alter table hayai.contact enable row level security;
create policy tenant on hayai.contact using (tenant = current_setting('hayai.tenant', true));
grant select, insert, update on hayai.contact to hayai_application;
