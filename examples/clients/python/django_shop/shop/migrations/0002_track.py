"""Tracks users, profiles and orders. Each call is a transaction of its own: its lock is held for a moment."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "SELECT goals.track_users('shop_user')",
            "SELECT goals.untrack('shop_user')",
        ),
        migrations.RunSQL(
            "SELECT goals.track_attributes('shop_profile', user_key => 'user_id')",
            "SELECT goals.untrack('shop_profile')",
        ),
        migrations.RunSQL(
            "SELECT goals.track_events('shop_order', user_key => 'user_id', named => 'order placed',"
            "                          on_column => 'placed_at')",
            "SELECT goals.untrack('shop_order')",
        ),
    ]
