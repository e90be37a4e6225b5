"""Tasks that judge again: ids in, one call."""

from celery import shared_task

from accounts import lanes
from webmail.reader import sweeping


@shared_task(name="reader.judge_due", ignore_result=True)
def judge_due() -> None:
    """Look for verdicts that trust or the clock may have turned (scan lane)."""
    sweeping.start_due()


@shared_task(name="reader.judge_account", ignore_result=True)
def judge_account(account_id: int, fence: int) -> None:
    """Judge the next readings of an account, then hand on to the next step."""
    if sweeping.step(account_id, fence):
        lanes.post_later("reader.judge_account", account_id, fence, lane="crypto")


@shared_task(name="reader.start_judging", ignore_result=True)
def start_judging(account_id: int) -> None:
    """Have the verdicts of an account that are due judged again (scan lane)."""
    sweeping.start(account_id)
