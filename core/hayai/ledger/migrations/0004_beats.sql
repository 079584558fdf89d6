-- Workers are told to be alive by what they count, since a clock on the wall may be set: whoever watches another counts
-- the seconds himself.

alter table hayai.worker add column beat bigint not null default 0;
comment on column hayai.worker.beat is 'Counted up while the worker is alive; who sees it stand still strikes him off.';
comment on column hayai.worker.expires_at is 'Until when it is shown as alive to people: no lease goes by it.';
