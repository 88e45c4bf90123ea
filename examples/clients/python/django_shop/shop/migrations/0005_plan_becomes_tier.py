"""Goals follow the column to its new name and length. What is on record goes on counting."""

from django.db import migrations, models

GOAL = """
SELECT goals.set_goal('welcome', attribute => '{}', operator => 'is', value => 'pro', time_limit => '14 days')
"""


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_track_mails")]
    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, GOAL.format("plan")),
        migrations.RenameField("user", "plan", "tier"),
        migrations.AlterField("user", "tier", models.CharField(default="free", max_length=40)),
        # For receipts from now on. It is also what a restored dump knows the goal by.
        migrations.RunSQL(GOAL.format("tier"), migrations.RunSQL.noop),
    ]
