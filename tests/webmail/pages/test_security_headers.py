from types import SimpleNamespace

from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from webmail.pages.security_headers import SecurityHeadersMiddleware


def answer(response):
    return SecurityHeadersMiddleware(lambda _: response)(RequestFactory().get("/"))


def test_pages_get_exactly_the_policy_of_the_design():
    assert answer(HttpResponse("x"))["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; "
        "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )


def test_a_persons_time_ends_with_their_request():
    request = RequestFactory().get("/")
    request.user = SimpleNamespace(time_zone="Asia/Tokyo")

    def view(_):
        middleware.process_view(request, None, (), {})
        return HttpResponse(timezone.get_current_timezone_name())

    middleware = SecurityHeadersMiddleware(view)
    assert middleware(request).content == b"Asia/Tokyo"
    assert timezone.get_current_timezone_name() == "UTC"
    request.user = SimpleNamespace(time_zone="Europe/Atlantis")
    assert middleware(request).content == b"UTC"


def test_a_view_with_a_policy_of_its_own_keeps_it():
    response = answer(HttpResponse("x", headers={"Content-Security-Policy": "default-src 'none'"}))
    assert response["Content-Security-Policy"] == "default-src 'none'"


def test_pages_are_kept_by_no_cache_but_files_may_be():
    assert answer(HttpResponse("x"))["Cache-Control"] == "private, no-store"
    assert "Cache-Control" not in answer(HttpResponse(b"x", content_type="image/png"))
