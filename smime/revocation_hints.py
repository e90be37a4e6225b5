"""Words to the workers that watch certificates: hints, which may be lost and come again."""

from accounts import lanes


def watch_held(user_id: int = 0) -> None:
    """Have a worker look at the certificates that one person holds, or everybody (0).

    Once what they hold is committed.
    """
    lanes.post_later("smime.watch_held", user_id, 0, 0, lane="crypto")
