"""Roles: whether the role that a connection speaks for may be trusted to keep tenants apart."""

# asyncpg ships no types, so nothing that comes out of it is known to a checker.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from hayai.errors import DatabaseUnfit

if TYPE_CHECKING:
    import asyncpg

_ROLE = """
select current_user as role, me.rolsuper as superuser,
       exists (select from pg_roles other where (other.rolsuper or other.rolbypassrls)
               and pg_has_role(current_user, other.oid, 'member')) as bypasses,
       exists (select from pg_namespace where nspname = 'hayai') as migrated,
       array(select c.relname::text from pg_class c where c.relnamespace = to_regnamespace('hayai')
             and c.relkind in ('r', 'p') and pg_has_role(current_user, c.relowner, 'member')) as owned,
       array(select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant'
             where c.relnamespace = to_regnamespace('hayai') and c.relkind in ('r', 'p')
             and not c.relrowsecurity) as unguarded
  from pg_roles me where me.rolname = current_user
"""


async def check_role(connection: asyncpg.Connection) -> None:
    """Raises DatabaseUnfit where the application's role could see past row-level security, or has no tables yet."""
    found = await connection.fetchrow(_ROLE)
    assert found is not None
    role = found["role"]
    if found["superuser"]:
        raise DatabaseUnfit(
            f"The application's role {role} is a superuser and would see every tenant's rows: {_ADVICE}"
        )
    if found["bypasses"]:
        raise DatabaseUnfit(
            f"The application's role {role} has, or may take on, BYPASSRLS and would see every tenant's rows: {_ADVICE}"
        )
    if not found["migrated"]:
        raise DatabaseUnfit("The database holds no schema hayai yet: run `hayai migrate` first.")
    if found["owned"]:
        raise DatabaseUnfit(
            f"The application's role {role} owns {', '.join(sorted(found['owned']))} and could lift row-level "
            f"security: {_ADVICE}"
        )
    if found["unguarded"]:
        raise DatabaseUnfit(
            f"No row-level security on {', '.join(sorted(found['unguarded']))}, though it has a tenant column: "
            "add `enable row level security` and a policy in a new migration."
        )


_ADVICE = "connect as a role that owns nothing and has no attributes, such as hayai_application."
