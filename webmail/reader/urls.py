"""The reader's own addresses."""

from django.urls import path

from webmail.reader import attachment_views, unsubscribe_views, views

app_name = "reader"
urlpatterns = [
    path("m/<str:token>/frame", views.frame, name="frame"),
    path("part/<str:token>", views.part, name="part"),
    path("img/<str:token>", views.img, name="img"),
    path("go/<str:token>", views.go, name="go"),
    path("message/<int:message_id>/source", views.source, name="source"),
    path("message/<int:message_id>/raw.eml", views.raw, name="raw"),
    path("message/<int:message_id>/attached", attachment_views.cards, name="attached-cards"),
    path("attached/<str:token>", attachment_views.view, name="attached"),
    path("attached/<str:token>/page", attachment_views.page, name="attached-page"),
    path("attached/<str:token>/frame", attachment_views.frame, name="attached-frame"),
    path("attached/<str:token>/go", attachment_views.go, name="attached-go"),
    path("attached/<str:token>/all.zip", attachment_views.download_all, name="attached-all"),
    path("message/<int:message_id>/images", views.load_images, name="images"),
    path("message/<int:message_id>/asks", unsubscribe_views.asks, name="asks"),
    path("message/<int:message_id>/unsubscribe", unsubscribe_views.unsubscribe, name="unsubscribe"),
]
