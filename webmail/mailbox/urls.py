"""Addresses of this app."""

from django.urls import path

from webmail.mailbox import views

app_name = "mailbox"
urlpatterns = [
    path("actions", views.act, name="actions"),
    path("undo", views.undo, name="undo"),
]
