"""Addresses of the composer and the outbox."""

from django.urls import path

from webmail.composer import contacts_views, outbox_views, views

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
    path("contacts", contacts_views.contact_list, name="contacts"),
    path("contacts/new", contacts_views.new, name="new-contact"),
    path("contacts/all.vcf", contacts_views.export, name="export-contacts"),
    path("contacts/<int:contact_id>", contacts_views.contact, name="contact"),
    path("contacts/<int:contact_id>.vcf", contacts_views.export_one, name="export-contact"),
    path("contacts/<int:contact_id>/delete", contacts_views.delete, name="delete-contact"),
    path("outbox", outbox_views.outbox_list, name="outbox"),
    path("outbox/<int:outgoing_id>/undo", outbox_views.undo, name="undo"),
    path("outbox/<int:outgoing_id>/send-now", outbox_views.send_now, name="send-now"),
    path("outbox/<int:outgoing_id>/again", outbox_views.again, name="again"),
    path("outbox/<int:outgoing_id>/settle", outbox_views.settle, name="settle"),
]
