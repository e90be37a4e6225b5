import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('smime', '0003_revocation'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PersonAnchor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(max_length=64, verbose_name='fingerprint')),
                ('der', models.BinaryField()),
                ('subject', models.CharField(max_length=500, verbose_name='subject')),
                ('name', models.CharField(blank=True, max_length=200, verbose_name='name')),
                ('issuer', models.CharField(max_length=500, verbose_name='issuer')),
                ('serial', models.CharField(max_length=64, verbose_name='serial number')),
                ('addresses', models.JSONField(default=list, verbose_name='addresses')),
                ('not_before', models.DateTimeField(verbose_name='valid from')),
                ('not_after', models.DateTimeField(verbose_name='valid until')),
                ('algorithm', models.CharField(max_length=64, verbose_name='key')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='added')),
                ('domains', models.JSONField(default=list, verbose_name='domains')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='person_anchors', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': "person's trust anchor",
                'verbose_name_plural': "people's trust anchors",
                'constraints': [models.UniqueConstraint(fields=('user', 'fingerprint'), name='one_person_anchor')],
            },
        ),
    ]
