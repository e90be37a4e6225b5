"""Addresses of whole pages and probes."""

from django.urls import path

from webmail.pages import views

app_name = "pages"
urlpatterns = [
    path("", views.index, name="index"),
    path("mail/<str:name>", views.folder, name="folder"),
    path("search", views.search, name="search"),
    path("message/<int:message_id>", views.message, name="message"),
    path("settings/", views.user_settings, name="settings"),
    path("help/protection", views.protection, name="protection"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]
