from django.http import HttpResponse
from django.test import RequestFactory

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


def test_a_view_with_a_policy_of_its_own_keeps_it():
    response = answer(HttpResponse("x", headers={"Content-Security-Policy": "default-src 'none'"}))
    assert response["Content-Security-Policy"] == "default-src 'none'"


def test_pages_are_kept_by_no_cache_but_files_may_be():
    assert answer(HttpResponse("x"))["Cache-Control"] == "private, no-store"
    assert "Cache-Control" not in answer(HttpResponse(b"x", content_type="image/png"))
