-- What is listed is nearly always to come, and nearly all of a calendar's rows have gone by: an index on when they
-- end leads past those at once, one on when they start reads them all.
create index on hayai.appointment (tenant, ends_at) where status in ('held', 'confirmed');
drop index hayai.appointment_tenant_starts_at_idx;
