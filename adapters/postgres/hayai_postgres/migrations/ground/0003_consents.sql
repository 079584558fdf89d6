-- What people have said about being written to. The application may add rows and change none: this is also the proof.

create table hayai.consent (
    tenant text not null check (tenant <> ''),
    person text not null check (person <> ''),
    channel text not null check (channel <> ''),
    purpose text not null check (purpose in ('answer', 'service', 'marketing')),
    source text not null check (source <> ''),
    allowed boolean not null,
    said_at timestamptz not null,
    place bigint generated always as identity,
    primary key (tenant, person, channel, purpose, source)
);
alter table hayai.consent enable row level security;
create policy tenant on hayai.consent using (tenant = current_setting('hayai.tenant', true));
grant select, insert on hayai.consent to hayai_application;
