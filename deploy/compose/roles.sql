-- The roles and the database of tier 1, made at the first start of an empty volume (needs psql 14 for \getenv).
\getenv owner HAYAI_OWNER_PASSWORD
\getenv application HAYAI_APPLICATION_PASSWORD

create role hayai_owner login nosuperuser nobypassrls password :'owner';
create role hayai_application login nosuperuser nobypassrls password :'application';
-- The ledger's password is derived from the application's, as hayai.ports.database.ledger_password() does.
select encode(sha256(convert_to('hayai ledger:' || :'application', 'UTF8')), 'hex') as ledger \gset
create role hayai_ledger login nosuperuser nobypassrls password :'ledger';
create database hayai owner hayai_owner;
revoke all on database hayai from public;
grant connect on database hayai to hayai_application, hayai_ledger;
