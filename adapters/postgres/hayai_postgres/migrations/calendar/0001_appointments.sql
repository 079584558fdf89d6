-- Schedules and appointments. A resource is kept at most once at any instant: the exclusion constraint of
-- hayai.occupancy says so, whatever the application believes. Every table has a tenant, and a policy that shows a
-- transaction the rows of the tenant in `hayai.tenant` alone.

-- For `tenant with =` in a GiST index. Its operator classes are found by type, so any schema would do.
create extension if not exists btree_gist with schema hayai;

create table hayai.schedule (
    tenant text primary key check (tenant <> ''),
    digest text not null,
    body jsonb not null,
    installed_at timestamptz not null default now()
);
alter table hayai.schedule enable row level security;
create policy tenant on hayai.schedule using (tenant = current_setting('hayai.tenant', true));
grant select, insert, update on hayai.schedule to hayai_application;

create table hayai.appointment (
    tenant text not null check (tenant <> ''),
    id text not null,
    service text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    resources text[] not null,
    status text not null check (status in ('held', 'confirmed', 'cancelled', 'expired')),
    person text not null,
    name text not null,
    contact text not null,
    -- A hold that has run out stays `held` until somebody wants its place: it is judged by this instant, not by status.
    expires_at timestamptz check (status <> 'held' or expires_at is not null),
    version integer not null check (version > 0),
    booked_at timestamptz not null default now(),
    primary key (tenant, id)
);
create index on hayai.appointment (tenant, starts_at) where status in ('held', 'confirmed');
create index on hayai.appointment (tenant, person, starts_at);
alter table hayai.appointment enable row level security;
create policy tenant on hayai.appointment using (tenant = current_setting('hayai.tenant', true));
grant select, insert, update on hayai.appointment to hayai_application;

-- What a held or confirmed appointment keeps of each of its resources, buffers included. A row goes when its
-- appointment is cancelled, moves, or gives way as an expired hold.
create table hayai.occupancy (
    tenant text not null,
    resource text not null,
    kept_from timestamptz not null,
    kept_until timestamptz not null check (kept_until > kept_from),
    blocked tstzrange not null generated always as (tstzrange(kept_from, kept_until)) stored,
    appointment text not null,
    -- The appointment's own, while it is a hold. It stands here too so that reading what is busy needs no join.
    expires_at timestamptz,
    foreign key (tenant, appointment) references hayai.appointment (tenant, id) on delete cascade,
    constraint one_at_a_time exclude using gist (tenant with =, resource with =, blocked with &&)
);
create index on hayai.occupancy (tenant, appointment);
-- Behind row-level security only leakproof operators reach an index; `&&` is none, the comparison of instants is.
create index on hayai.occupancy (tenant, resource, kept_until, kept_from);
alter table hayai.occupancy enable row level security;
create policy tenant on hayai.occupancy using (tenant = current_setting('hayai.tenant', true));
grant select, insert, update, delete on hayai.occupancy to hayai_application;

-- Idempotency keys, digested, and a digest of what was asked under each.
create table hayai.booking_request (
    tenant text not null,
    key text not null,
    asked text not null,
    appointment text not null,
    primary key (tenant, key),
    foreign key (tenant, appointment) references hayai.appointment (tenant, id) on delete cascade
);
create index on hayai.booking_request (tenant, appointment);
alter table hayai.booking_request enable row level security;
create policy tenant on hayai.booking_request using (tenant = current_setting('hayai.tenant', true));
grant select, insert on hayai.booking_request to hayai_application;
