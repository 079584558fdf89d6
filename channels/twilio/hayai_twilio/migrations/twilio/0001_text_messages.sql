-- How far each message got. A status only ever goes up, in the order that hayai_twilio.statuses gives them.
create table hayai.twilio_message (
    tenant text not null check (tenant <> ''),
    sid text not null,
    reply text not null,
    status text not null,
    rank integer not null,
    code text not null default '',
    sent_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    primary key (tenant, sid)
);
create index on hayai.twilio_message (tenant, reply);
alter table hayai.twilio_message enable row level security;
create policy tenant on hayai.twilio_message using (tenant = current_setting('hayai.tenant', true));
grant select, insert, update on hayai.twilio_message to hayai_application;

-- When each of our numbers may send its next message: what all replicas keep to together.
create table hayai.twilio_pace (
    tenant text not null check (tenant <> ''),
    number text not null,
    free_at timestamptz not null,
    primary key (tenant, number)
);
alter table hayai.twilio_pace enable row level security;
create policy tenant on hayai.twilio_pace using (tenant = current_setting('hayai.tenant', true));
grant select, insert, update on hayai.twilio_pace to hayai_application;
