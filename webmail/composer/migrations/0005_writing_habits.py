import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("composer", "0004_preparation_states"),
    ]

    operations = [
        migrations.CreateModel(
            name="WritingHabits",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="writing_habits",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("shows_cc", models.BooleanField(default=False)),
                ("shows_bcc", models.BooleanField(default=False)),
                ("writes_plain", models.BooleanField(default=False)),
            ],
        ),
    ]
