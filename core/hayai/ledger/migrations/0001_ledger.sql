-- The ledger: what was handled (inbox), what is to be published (outbox), what was done outside (effect), and who works
-- where (lease, worker). It is kept by the role hayai_ledger, which sees these tables and no others; the application's
-- role takes part in it for its own tenant, inside the transactions of transactional handlers.

create table hayai.inbox (
    tenant text not null check (tenant <> ''),
    event text not null,
    handler text not null,
    run text not null,
    handled_at timestamptz not null default now(),
    primary key (tenant, event, handler, run)
);

-- Rows live for milliseconds, and there may be thousands a second: dead ones must be taken away at once.
create table hayai.outbox (
    position bigint generated always as identity,
    written_by xid8 not null default pg_current_xact_id(),
    tenant text not null check (tenant <> ''),
    shard smallint not null generated always as
        (hashtext(split_part(subject, '.', 2) || '.' || split_part(subject, '.', 3)) & 7) stored,
    id text not null,
    type text not null,
    subject text not null,
    body bytea not null,
    written_at timestamptz not null default now(),
    primary key (shard, written_by, position)
) with (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
comment on column hayai.outbox.shard is 'One relay at a time publishes a shard, so that the order of each key stays.';
comment on column hayai.outbox.written_by is
    'The order of publishing: nothing can appear before the oldest transaction that is open, so relays need not look there.';

-- What the bus will never take, and why: kept for a person, so that what comes after it is published.
create table hayai.refused (
    id text not null,
    tenant text not null check (tenant <> ''),
    type text not null,
    subject text not null,
    body bytea not null,
    error text not null,
    refused_at timestamptz not null default now(),
    primary key (tenant, id)
);

create table hayai.effect (
    tenant text not null check (tenant <> ''),
    event text not null,
    handler text not null,
    kind text not null,
    meaning text not null,
    state text not null check (state in ('claimed', 'done', 'unknown')),
    result json,
    claim text not null,
    lease text,
    epoch bigint,
    attempts integer not null default 1,
    claimed_at timestamptz not null default now(),
    done_at timestamptz,
    primary key (tenant, event, handler, kind, meaning),
    check ((state = 'done') = (done_at is not null))
) with (fillfactor = 80);
comment on column hayai.effect.claim is 'Who claimed it last says so by this token: nobody else may take the claim back.';
comment on column hayai.effect.result is 'Text as it came: jsonb would refuse some of what an act may return.';

-- Events that a process had in hand when it died, and how often one has begun with each since: the one that kills it is
-- found so.
create table hayai.suspect (
    tenant text not null check (tenant <> ''),
    event text not null,
    handler text not null,
    begun integer not null,
    begun_at timestamptz not null default now(),
    primary key (tenant, event, handler)
);

-- A lease is its holder's as long as that worker is alive, and is free after it: a renewal writes one row a worker.
create table hayai.lease (
    name text primary key,
    holder text,
    epoch bigint not null default 0
);
create index on hayai.lease (holder);

create table hayai.worker (
    id text primary key,
    scopes text[] not null,
    expires_at timestamptz not null
) with (fillfactor = 20);
comment on column hayai.worker.scopes is 'The groups of leases that it wants a share of.';

alter table hayai.inbox enable row level security;
alter table hayai.outbox enable row level security;
alter table hayai.effect enable row level security;
alter table hayai.suspect enable row level security;
alter table hayai.refused enable row level security;
create policy tenant on hayai.inbox to hayai_application using (tenant = current_setting('hayai.tenant', true));
create policy tenant on hayai.outbox to hayai_application using (tenant = current_setting('hayai.tenant', true));
create policy tenant on hayai.effect to hayai_application using (tenant = current_setting('hayai.tenant', true));
create policy ledger on hayai.refused to hayai_ledger using (true) with check (true);
create policy ledger on hayai.inbox to hayai_ledger using (true) with check (true);
create policy ledger on hayai.outbox to hayai_ledger using (true) with check (true);
create policy ledger on hayai.suspect to hayai_ledger using (true) with check (true);
create policy ledger on hayai.effect to hayai_ledger using (true) with check (true);
grant select, insert on hayai.inbox to hayai_application;
grant insert on hayai.outbox to hayai_application;
grant select on hayai.effect to hayai_application;
grant select, insert, update, delete on hayai.inbox, hayai.outbox, hayai.effect, hayai.suspect, hayai.lease, hayai.worker
   to hayai_ledger;

grant select, insert, delete on hayai.refused to hayai_ledger;
grant usage on schema hayai to hayai_ledger;

-- A lease's epoch is checked in the transaction that writes under it, and stays until that ends. Renewing a lease goes
-- on meanwhile; taking one over, which locks the row for itself, waits.
create function hayai.fence_holds(lease_name text, lease_epoch bigint) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
    select exists (select from hayai.lease l where l.name = lease_name and l.epoch = lease_epoch for key share)
$$;
revoke all on function hayai.fence_holds(text, bigint) from public;
grant execute on function hayai.fence_holds(text, bigint) to hayai_application, hayai_ledger;
