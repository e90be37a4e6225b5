"""Paths found before: the same question under the same trust costs nothing again.

A memory belongs to one state of trust: whoever asks promises that `anchors` and `others` begin with
those the memory was made with; when those change, a new memory is made. What a question adds
to them (pinned certificates, those that came with the message) is part of its key; of its moments,
only which certificates are valid at each, as `paths.choose_path` looks at nothing else. Bounded;
the answers are those of `paths.find_path`.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from cryptography import x509

from smime.pki.paths import Path, choose_path, issuing_anchors, useful

LIMIT = 4096  # answers of each kind


@dataclass(frozen=True, slots=True)
class _Pool:
    """What lies above a certificate, and when each is valid."""

    certificates: list[x509.Certificate]
    lives: tuple[tuple[datetime, datetime], ...]

    def valid_at(self, moment: datetime) -> tuple[int, ...]:
        """Say for each: not yet, valid, no longer."""
        return tuple((moment >= begin) + (moment > end) for begin, end in self.lives)


class PathMemory:
    """Answers of `find`, least recently asked ones forgotten first."""

    def __init__(
        self, anchors: Sequence[x509.Certificate], others: Sequence[x509.Certificate]
    ) -> None:
        self._anchors = tuple(anchors)
        self._others = tuple(others)
        self._issuing = issuing_anchors(anchors)
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = Lock()

    def find(
        self,
        certificate: x509.Certificate,
        *,
        anchors: Sequence[x509.Certificate],
        others: Sequence[x509.Certificate],
        moments: Sequence[datetime],
    ) -> Path:
        """Return the path of a certificate, as `paths.find_path`."""
        more_anchors = tuple(anchors[len(self._anchors) :])
        more_others = tuple(others[len(self._others) :])
        if certificate in anchors:
            return Path("pinned", (certificate,))
        asked = (certificate, more_anchors, more_others)
        pool = self.remember(("pool", asked), lambda: self._pool(*asked))
        when = tuple(pool.valid_at(moment) for moment in moments)
        return self.remember(
            ("path", asked, when),
            lambda: choose_path(
                certificate,
                [*self._issuing, *issuing_anchors(more_anchors)],
                pool.certificates,
                moments,
            ),
        )

    def remember[T](self, key: Hashable, ask: Callable[[], T]) -> T:
        """Return what `ask` answered for this key before; ask if it never did."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[return-value]  # a key's answers have one type
        answer = ask()
        with self._lock:
            self._kept[key] = answer
            if len(self._kept) > LIMIT:
                self._kept.popitem(last=False)
        return answer

    def _pool(
        self,
        certificate: x509.Certificate,
        more_anchors: tuple[x509.Certificate, ...],
        more_others: tuple[x509.Certificate, ...],
    ) -> _Pool:
        issuing = [*self._issuing, *issuing_anchors(more_anchors)]
        found = useful(certificate, issuing, [*self._others, *more_others])
        lives = tuple(
            (each.not_valid_before_utc, each.not_valid_after_utc) for each in (certificate, *found)
        )
        return _Pool(found, lives)
