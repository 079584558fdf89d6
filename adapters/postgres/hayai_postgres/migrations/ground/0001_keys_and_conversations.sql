-- API keys and conversations. Every table has a tenant and a policy that shows a transaction the rows of the tenant in
-- `hayai.tenant` alone; without one it shows none. The owner is not bound by it (no FORCE: backups and the functions
-- below must see every row), so the application refuses to run as the owner.

create table hayai.api_key (
    id text primary key,
    tenant text not null check (tenant <> ''),
    role text not null check (role in ('owner', 'staff', 'operator', 'auditor')),
    label text not null,
    digest bytea not null check (length(digest) = 32),
    issued_at timestamptz not null default now(),
    revoked_at timestamptz
);
create index on hayai.api_key (tenant);
alter table hayai.api_key enable row level security;
create policy tenant on hayai.api_key using (tenant = current_setting('hayai.tenant', true));
grant select, insert on hayai.api_key to hayai_application;

-- Who calls is asked before a tenant is known. The application may ask about, or end, one key whose id it was shown,
-- and cannot list keys: these functions are its only ways past the policy.
create function hayai.api_key_of(wanted text)
returns table (id text, tenant text, role text, digest bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select k.id, k.tenant, k.role, k.digest from hayai.api_key k where k.id = wanted and k.revoked_at is null
$$;
revoke all on function hayai.api_key_of(text) from public;
grant execute on function hayai.api_key_of(text) to hayai_application;

create function hayai.end_api_key(wanted text) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
    with ended as (
        update hayai.api_key k set revoked_at = now() where k.id = wanted and k.revoked_at is null returning k.id
    )
    select exists (select from ended)
$$;
revoke all on function hayai.end_api_key(text) from public;
grant execute on function hayai.end_api_key(text) to hayai_application;

create table hayai.conversation (
    tenant text not null check (tenant <> ''),
    id text not null,
    started_at timestamptz not null default now(),
    primary key (tenant, id)
);
alter table hayai.conversation enable row level security;
create policy tenant on hayai.conversation using (tenant = current_setting('hayai.tenant', true));
-- UPDATE is what SELECT ... FOR UPDATE asks for: append() locks this row, so that positions have no gap.
grant select, insert, update on hayai.conversation to hayai_application;

create table hayai.line (
    tenant text not null,
    conversation text not null,
    position integer not null check (position > 0),
    id text not null,
    speaker text not null check (speaker in ('customer', 'agent', 'staff')),
    body text not null,
    said_at timestamptz not null,
    choices text[] not null default '{}',
    primary key (tenant, conversation, position),
    unique (tenant, conversation, id),
    foreign key (tenant, conversation) references hayai.conversation (tenant, id) on delete cascade
);
alter table hayai.line enable row level security;
create policy tenant on hayai.line using (tenant = current_setting('hayai.tenant', true));
grant select, insert on hayai.line to hayai_application;

create table hayai.memory (
    tenant text not null check (tenant <> ''),
    conversation text not null,
    agent text not null,
    state jsonb not null,
    handled text not null,
    outcome jsonb not null,
    kept_at timestamptz not null default now(),
    primary key (tenant, conversation, agent)
);
alter table hayai.memory enable row level security;
create policy tenant on hayai.memory using (tenant = current_setting('hayai.tenant', true));
grant select, insert, update on hayai.memory to hayai_application;
