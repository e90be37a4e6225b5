"""The reader's own addresses."""

from django.urls import path

from webmail.reader import views

app_name = "reader"
urlpatterns = [
    path("m/<str:token>/frame", views.frame, name="frame"),
    path("part/<str:token>", views.part, name="part"),
    path("img/<str:token>", views.img, name="img"),
    path("go/<str:token>", views.go, name="go"),
    path("message/<int:message_id>/source", views.source, name="source"),
    path("message/<int:message_id>/raw.eml", views.raw, name="raw"),
    path("message/<int:message_id>/images", views.load_images, name="images"),
]
