"""Alembic's way in: runs the revisions over the connection that `router.ledger.migrate` opened, and over no other."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
