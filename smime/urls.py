"""Addresses of the keys page."""

from django.urls import path

from smime import anchor_views, views

app_name = "smime"
urlpatterns = [
    path("keys", views.keys, name="keys"),
    path("keys/import", views.import_key, name="import"),
    path("keys/import/keep", views.keep_key, name="keep"),
    path("keys/unlock", views.unlock, name="unlock"),
    path("keys/lock", views.lock, name="lock"),
    path("keys/<int:key_id>/use", views.put_in_use, name="use"),
    path("keys/<int:key_id>/delete", views.delete_key, name="delete"),
    path("keys/<int:key_id>/export", views.export_key, name="export"),
    path("keys/anchors/add", anchor_views.add_anchor, name="add-anchor"),
    path("keys/anchors/<int:anchor_id>/remove", anchor_views.remove_anchor, name="remove-anchor"),
    path("keys/certificates/import", views.import_certificate, name="import-certificate"),
    path("keys/certificates/<int:certificate_id>", views.certificate, name="certificate"),
    path(
        "keys/certificates/<int:certificate_id>/pin", views.pin_certificate, name="pin-certificate"
    ),
    path(
        "keys/certificates/<int:certificate_id>/bind",
        views.bind_certificate,
        name="bind-certificate",
    ),
    path(
        "keys/certificates/<int:certificate_id>/forget",
        views.forget_certificate,
        name="forget-certificate",
    ),
]
