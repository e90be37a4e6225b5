"""Every address of the site; each app names its own."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("webmail.pages.urls")),
    path("", include("accounts.urls")),
    path("", include("smime.urls")),
    path("", include("webmail.mailbox.urls")),
    path("", include("webmail.reader.urls")),
    path("", include("webmail.composer.urls")),
    path("admin/", admin.site.urls),
]
