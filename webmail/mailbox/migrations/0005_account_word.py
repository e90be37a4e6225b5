"""On PostgreSQL the account's word is none that a search for the beginning of a word could find."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FORWARD = """
UPDATE mailbox_search AS found
SET vector = ts_delete(found.vector, 'signetaccount' || message.account_id)
    || array_to_tsvector(ARRAY['@signetaccount' || message.account_id])
FROM mailbox_message AS message
WHERE message.id = found.message_id
"""
BACKWARD = """
UPDATE mailbox_search AS found
SET vector = ts_delete(found.vector, '@signetaccount' || message.account_id)
    || setweight(to_tsvector('simple', 'signetaccount' || message.account_id), 'D')
FROM mailbox_message AS message
WHERE message.id = found.message_id
"""


def forward(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(FORWARD)


def backward(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(BACKWARD)


class Migration(migrations.Migration):
    dependencies = [("mailbox", "0004_protected_fields")]
    operations = [migrations.RunPython(forward, backward)]
