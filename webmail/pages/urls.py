"""Addresses of whole pages and probes."""

from django.urls import path

from webmail.pages import attached_views, receipts, views

app_name = "pages"
urlpatterns = [
    path("", views.index, name="index"),
    path("mail/<str:name>", views.folder, name="folder"),
    path("search", views.search, name="search"),
    path("message/<int:message_id>", views.message, name="message"),
    path("message/<int:message_id>/invitation", attached_views.invitation, name="invitation"),
    path("message/<int:message_id>/contact", attached_views.save_contact, name="save-contact"),
    path("message/<int:message_id>/reported", attached_views.reported, name="reported"),
    path("message/<int:message_id>/receipt", receipts.receipt, name="receipt"),
    path("settings/", views.user_settings, name="settings"),
    path("help/protection", views.protection, name="protection"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]
