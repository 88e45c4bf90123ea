"""Tracks the tables of post_office: each template is a message, each mail that was sent a receipt."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("shop", "0003_messages"),
        ("post_office", "0014_alter_email_recipient_delivery_status_and_more"),
    ]
    operations = [
        migrations.RunSQL(
            "SELECT goals.track_messages('post_office_emailtemplate', id => 'id', name => 'name',"
            "                            like_message => 'any campaign')",
            "SELECT goals.untrack('post_office_emailtemplate')",
        ),
        # status 0 is sent
        migrations.RunSQL(
            """SELECT goals.track_receipts('post_office_email', message => 'template_id', user_key => 'to',
                                           user_by => 'email', "only" => '{"status": 0}')""",
            "SELECT goals.untrack('post_office_email')",
        ),
        migrations.RunSQL(
            """SELECT goals.track_engagements('post_office_log', 'status', send => 'email_id', at => 'date',
                   kinds => '{"20": "delivered", "30": "opened", "40": "clicked", "70": "bounced",
                              "80": "complained", "90": "unsubscribed"}')""",
            "SELECT goals.untrack('post_office_log')",
        ),
    ]
