"""The hello floor: the least that Django takes to show fifty rows of a table as a page.

Served by granian as `webmail.demo.bench.floor_site:application` in a process of its own, which
it configures on import; FLOOR_DATABASE names the file of `floor_database`. It has the middleware
that no site goes without, one query, one template, and nothing of Signet.
"""

import os

import django
from django.conf import settings

_DOCUMENT = (
    "<!doctype html><html lang=en><head><meta charset=utf-8>"
    "<title>{% block title %}{% endblock %}</title></head>"
    "<body>{% block main %}{% endblock %}</body></html>"
)
_LIST = (
    "{% extends 'document.html' %}{% block title %}Inbox{% endblock %}{% block main %}<ol>"
    "{% for letter in letters %}"
    '<li class="{% if letter.is_read %}read{% else %}unread{% endif %}">'
    '<input type="checkbox" name="ids" value="{{ letter.pk }}"> <b>{{ letter.sender }}</b> '
    '<a class="row-link" href="/{{ letter.pk }}">{{ letter.subject }}</a> '
    "<span>{{ letter.preview }}</span> "
    "<time>{{ letter.at|date:'j M H:i' }}</time> <i>{{ letter.size|filesizeformat }}</i></li>"
    "{% endfor %}</ol>{% endblock %}"
)
_TEMPLATES = {"document.html": _DOCUMENT, "list.html": _LIST}
_LOADER = ("django.template.loaders.locmem.Loader", _TEMPLATES)

settings.configure(
    DEBUG=False,
    SECRET_KEY="a floor keeps no secrets, but Django asks for fifty characters",  # noqa: S106
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["FLOOR_DATABASE"],
            "CONN_MAX_AGE": None,
        }
    },
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [("django.template.loaders.cached.Loader", [_LOADER])]},
        }
    ],
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402  (after Django is set up)
from django.db import models  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.urls import path  # noqa: E402


class Letter(models.Model):
    """A row of the list."""

    at = models.DateTimeField()
    sender = models.TextField()
    subject = models.TextField()
    preview = models.TextField()
    size = models.IntegerField()
    is_read = models.BooleanField()

    objects: models.Manager["Letter"]

    class Meta:
        app_label = "floor"
        managed = False
        db_table = "letter"


def inbox(request: HttpRequest) -> HttpResponse:
    """The newest fifty."""
    return render(request, "list.html", {"letters": Letter.objects.order_by("-pk")[:50]})


urlpatterns = [path("", inbox)]
application = get_wsgi_application()
