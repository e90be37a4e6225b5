"""Paths found before: the same question under the same trust costs nothing again.

A memory belongs to one state of trust: whoever asks promises that `anchors` and `others` begin with
those the memory was made with; when those change, a new memory is made. What a question adds
to them (pinned certificates, those that came with the message) is part of its key; of its moments,
only which certificates are valid at each, as `paths.choose_path` looks at nothing else. Bounded;
the answers are those of `paths.find_path`.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from cryptography import x509

from smime.pki.paths import Path, choose_path, issuing_anchors, useful

LIMIT = 4096  # answers, of all kinds together
_NOTHING = object()  # no answer yet; None is one


@dataclass(frozen=True, slots=True)
class _Pool:
    """What lies above a certificate, and when each is valid."""

    certificates: list[x509.Certificate]
    lives: tuple[tuple[datetime, datetime], ...]

    def valid_at(self, moment: datetime) -> tuple[int, ...]:
        """Say for each: not yet, valid, no longer."""
        return tuple((moment >= begin) + (moment > end) for begin, end in self.lives)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a question adds to the memory's own trust."""

    certificate: x509.Certificate
    more_anchors: tuple[x509.Certificate, ...]
    more_others: tuple[x509.Certificate, ...]

    def __hash__(self) -> int:
        # Cheap: hashing a certificate reads all of it.
        return hash((self.certificate.serial_number, len(self.more_others)))


class PathMemory:
    """Answers of `find`. Forgotten is what nobody asked for while half of LIMIT others were."""

    def __init__(
        self, anchors: Sequence[x509.Certificate], others: Sequence[x509.Certificate]
    ) -> None:
        self._anchors = tuple(anchors)
        self._others = tuple(others)
        self._issuing = issuing_anchors(anchors)
        # Two halves instead of an order that each answer would have to be moved in.
        self._recent: dict[Hashable, object] = {}
        self._older: dict[Hashable, object] = {}
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
        asked = _Asked(certificate, more_anchors, more_others)
        pool = self.remember(("pool", asked), lambda: self._pool(asked))
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
        answer = self._recent.get(key, _NOTHING)
        if answer is _NOTHING:
            answer = self._older.get(key, _NOTHING)
            if answer is _NOTHING:
                answer = ask()
            with self._lock:
                self._recent[key] = answer
                if len(self._recent) >= LIMIT // 2:
                    self._older, self._recent = self._recent, {}
        return answer  # type: ignore[return-value]  # a key's answers have one type

    def _pool(self, asked: _Asked) -> _Pool:
        issuing = [*self._issuing, *issuing_anchors(asked.more_anchors)]
        found = useful(asked.certificate, issuing, [*self._others, *asked.more_others])
        lives = tuple(
            (each.not_valid_before_utc, each.not_valid_after_utc)
            for each in (asked.certificate, *found)
        )
        return _Pool(found, lives)
