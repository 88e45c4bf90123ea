"""Settings of the shop. PGHOST, PGPORT, PGUSER and PGPASSWORD name the server and the role, as for psql."""

import os
from datetime import timedelta

SECRET_KEY = os.environ.get("SECRET_KEY", "only for an example")
USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = "shop.urls"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["anymail", "post_office", "shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("PGDATABASE", "shop"),
        # The test database is a copy of this one, in which a superuser has created the extension.
        "TEST": {"TEMPLATE": os.environ.get("TEST_TEMPLATE", "shop_template")},
    }
}

# What leaves the queue of post_office goes to the provider by the backend of anymail.
EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
DEFAULT_FROM_EMAIL = "shop@example.org"
POST_OFFICE = {
    "BACKENDS": {"default": EMAIL_BACKEND},
    "MESSAGE_ID_ENABLED": True,
    "MESSAGE_ID_FQDN": "shop.example.org",
    "MAX_RETRIES": 1,
    "RETRY_INTERVAL": timedelta(0),
}
ANYMAIL = {"WEBHOOK_SECRET": os.environ.get("WEBHOOK_SECRET", "shop:example")}
# post_office reports each run of its queue on stderr
LOGGING = {
    "version": 1,
    "handlers": {"none": {"class": "logging.NullHandler"}},
    "loggers": {"post_office": {"handlers": ["none"]}},
}
