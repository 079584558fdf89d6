-- The versions of events that may be in the streams: what each looked like when it was installed, and whose it was.
-- Written by `hayai migrate`, read at every start.
create table hayai.event_contract (
    type text primary key,
    schema jsonb not null,
    parts text[] not null,
    installed_at timestamptz not null default now(),
    seen_at timestamptz not null default now()
);
comment on column hayai.event_contract.type is 'The wire type, noun.verbed.vN.';
comment on column hayai.event_contract.seen_at is 'When an install last had it.';
grant select, insert, update, delete on hayai.event_contract to hayai_application;
