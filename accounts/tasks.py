"""Tasks of this app."""

from celery import shared_task

from accounts import mail_check


@shared_task(name="accounts.check_credentials", ignore_result=True)
def check_credentials(ticket_id: str, reply_key: str) -> None:
    """Check a sign-in's password with the mail server (lane interactive)."""
    mail_check.answer_ticket(ticket_id, reply_key)
