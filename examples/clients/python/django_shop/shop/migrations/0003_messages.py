"""The messages and their goals, in one transaction. They lock no table of the shop."""

from django.db import migrations

WELCOME = """
SELECT goals.create_message('welcome', kind => 'one_off', channel => 'e-mail');
SELECT goals.add_variant('welcome', 'short');
SELECT goals.add_variant('welcome', 'long');
SELECT goals.set_control_group('welcome', 0.2);
SELECT goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => 'pro', time_limit => '14 days');
SELECT goals.set_goal('welcome', attribute => 'shop_profile.data.onboarded', operator => 'is', value => 'true',
                      time_limit => '14 days', goal => 'onboarded');
SELECT goals.set_goal('welcome', event => 'order placed', time_limit => '14 days', value_from => 'total',
                      goal => 'order');
"""

CONFIRMATION = """
SELECT goals.create_message('order confirmed', channel => 'e-mail');
SELECT goals.set_goal('order confirmed', event => 'order placed', time_limit => '30 days', value_from => 'total');
"""

# What each campaign of the admin page is like. It cannot be dropped once there are campaigns: the reverse leaves it.
CAMPAIGN = """
SELECT goals.create_message('any campaign', channel => 'e-mail', if_not_exists => true);
SELECT goals.set_goal('any campaign', event => 'order placed', time_limit => '7 days', value_from => 'total');
"""


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_track")]
    operations = [
        migrations.RunSQL(WELCOME, "SELECT goals.drop_message('welcome')"),
        migrations.RunSQL(CONFIRMATION, "SELECT goals.drop_message('order confirmed')"),
        migrations.RunSQL(CAMPAIGN, migrations.RunSQL.noop),
    ]
