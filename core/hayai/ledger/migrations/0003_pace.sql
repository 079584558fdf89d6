-- How long handlers take, as each process of the last hour has seen it: operators and the doctor compare it with what
-- they are allowed. It holds no tenant's rows.
create table hayai.pace (
    handler text not null,
    process text not null,
    durations json not null,
    failed bigint not null,
    measured_at timestamptz not null default clock_timestamp(),
    primary key (handler, process)
) with (fillfactor = 50);
comment on column hayai.pace.durations is 'How many tries there were in each bucket of hayai.telemetry.histogram.';
grant select, insert, update, delete on hayai.pace to hayai_ledger;
