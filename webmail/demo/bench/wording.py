"""Made-up mail: names, subjects and first lines, the same in every run."""

import random
from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "Anna Bela Carlos Dagny Emil Farida Goran Helene Ivo Jamila Kofi Lene Mateo Nadia Oskar Priya "
    "Quentin Rosa Samir Tuva Ulrik Vera Wanda Yusuf Zofia"
)
_LAST = _words(
    "Aasen Bauer Costa Dahl Eriksen Fontaine Garcia Holm Ibsen Jansen Kowalski Lund Moreau Novak "
    "Olsen Petrov Quist Rossi Silva Tanaka Ueda Vogel Weber Yilmaz Zeman"
)
_WORDS = _words(
    "about after agenda all and annual answer april archive autumn before board bridge budget "
    "build change client coffee contract copy crane cost customer date delivery design draft "
    "drawing early edition energy estimate evening field figures final first follow for friday "
    "from garden grid harbour hotel idea in invoice january june keys late launch letter light "
    "list lunch march market measure meeting minutes monday month morning moved network new next "
    "notes november of offer office old on open order our paper parts payment photos plan please "
    "power price print project proposal question quarter rail ready reminder rent report request "
    "review river room route sample schedule school sea second september site small spring stage "
    "station status street summer supplier survey team test thanks the third thursday ticket "
    "today tomorrow tour train travel turbine update version visit we week wind winter with work "
    "workshop year your"
)


@dataclass(frozen=True, slots=True)
class Wording:
    """What one letter says as far as a list shows it."""

    name: str
    address: str
    subject: str
    preview: str


class Writer:
    """Makes wordings; the same `seed` makes the same ones."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - made-up mail, not secrets

    def one(self) -> Wording:
        """Return the next letter's words."""
        first, last = self._random.choice(_FIRST), self._random.choice(_LAST)
        return Wording(
            name=f"{first} {last}",
            address=f"{first}.{last}@partner.example".lower(),
            subject=self._sentence(3, 8),
            preview=self._sentence(16, 24)[:140],
        )

    def chance(self, percent: float) -> bool:
        """Return true in `percent` of 100 cases."""
        return self._random.random() * 100 < percent

    def size(self) -> int:
        """Return a size in bytes as mail has them: mostly small, a few large."""
        return int(self._random.lognormvariate(9.5, 1.2)) + 500

    def _sentence(self, least: int, most: int) -> str:
        words = self._random.choices(_WORDS, k=self._random.randint(least, most))
        return " ".join(words).capitalize()
