"""A correction that no user made: it counts for no message."""

from django.db import migrations


def correct(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT goals.pause()")  # until the migration commits
    apps.get_model("shop", "User").objects.filter(email__endswith="@shop.example.org").update(tier="pro")


class Migration(migrations.Migration):
    dependencies = [("shop", "0005_plan_becomes_tier")]
    operations = [migrations.RunPython(correct, migrations.RunPython.noop)]
