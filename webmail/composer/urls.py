"""Addresses of the composer and the outbox."""

from django.urls import path

from webmail.composer import outbox_views, views

app_name = "composer"

urlpatterns = [
    path("compose", views.compose, name="compose"),
    path("compose/recipients", views.recipients, name="recipients"),
    path("compose/suggest", views.suggest, name="suggest"),
    path("compose/<int:draft_id>/save", views.save, name="save"),
    path("compose/<int:draft_id>/attach", views.attach, name="attach"),
    path("compose/<int:draft_id>/detach", views.detach, name="detach"),
    path("compose/<int:draft_id>/protection", views.protection, name="protection"),
    path("compose/<int:draft_id>/send", views.send, name="send"),
    path("compose/<int:draft_id>/discard", views.discard, name="discard"),
    path("drafts", views.draft_list, name="drafts"),
    path("outbox", outbox_views.outbox_list, name="outbox"),
    path("outbox/<int:outgoing_id>/undo", outbox_views.undo, name="undo"),
    path("outbox/<int:outgoing_id>/send-now", outbox_views.send_now, name="send-now"),
    path("outbox/<int:outgoing_id>/again", outbox_views.again, name="again"),
    path("outbox/<int:outgoing_id>/settle", outbox_views.settle, name="settle"),
]
