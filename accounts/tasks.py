"""Tasks of this app."""

from celery import shared_task

from accounts import mail_check
from accounts.sessions import SessionStore


@shared_task(name="accounts.check_credentials", ignore_result=True)
def check_credentials(ticket_id: str, reply_key: str) -> None:
    """Check a sign-in's password with the mail server (lane interactive)."""
    mail_check.answer_ticket(ticket_id, reply_key)


@shared_task(name="accounts.expire_sessions", ignore_result=True)
def expire_sessions() -> None:
    """Drop the rows of sessions that are over (lane scan)."""
    SessionStore.clear_expired()
