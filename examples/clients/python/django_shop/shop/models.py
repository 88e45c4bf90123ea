import uuid

from django.db import models
from django.db.models.functions import Lower


class User(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField()
    tier = models.CharField(max_length=40, default="free")

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email")]


class Profile(models.Model):
    user = models.OneToOneField(User, on_delete=models.CASCADE)
    data = models.JSONField(default=dict)


class Order(models.Model):
    """A cart, until `placed_at` is set."""

    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    total = models.DecimalField(max_digits=10, decimal_places=2)
    placed_at = models.DateTimeField(null=True)
