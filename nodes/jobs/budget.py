"""What a video will cost, and how much the user wants to spend in 24 hours, in millionths of a US dollar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..files import private_folder, write_private
from ..runcomfy.responses import ModelInfo
from .errors import InvalidBudget

VARIABLE: Final = "SEEDANCE_MAX_USD_PER_DAY"
SETTINGS: Final = "Settings > Seedance"
PER_USD: Final = 1_000_000
DEFAULT: Final = 50 * PER_USD
LARGEST: Final = 1_000_000 * PER_USD
PRICE_SECONDS: Final = 4.0
"""For which the list price is waited for."""
_OF_A_SECOND: Final = ("second", "seconds", "s")
_OF_A_VIDEO: Final = ("output", "video", "request", "generation", "run")


@dataclass(frozen=True)
class Limit:
    amount: int = 0
    """That may be spent in 24 hours; 0: there is no limit."""
    place: str = SETTINGS
    """Where it is set."""


@dataclass(frozen=True)
class Purchase:
    estimate: int | None = None
    """None where no price could be learnt."""
    limit: Limit = Limit()


UNLIMITED: Final = Purchase()


@dataclass(frozen=True)
class BudgetSetting:
    """The limit that the user has set: the environment's, else the one in a file beside the token."""

    file: Path
    environment: Mapping[str, str]

    @property
    def by_environment(self) -> bool:
        return bool(self.environment.get(VARIABLE, "").strip())

    def limit(self) -> Limit:
        """The limit in use. Raises `InvalidBudget`: then nothing may be bought."""
        if self.by_environment:
            return Limit(_read(self.environment[VARIABLE], VARIABLE), VARIABLE)
        try:
            return Limit(_read(self.file.read_text(encoding="utf-8", errors="replace"), SETTINGS))
        except FileNotFoundError:
            return Limit(DEFAULT)
        except OSError as error:
            raise InvalidBudget(key="unreadableBudget", reason=f"{error.strerror}", file=f"{self.file}") from None

    def save(self, usd: object) -> None:
        """Set the limit in US dollars. Raises `InvalidBudget` where it is none, and `OSError`."""
        limit = _read(f"{usd}" if isinstance(usd, int | float) and not isinstance(usd, bool) else "", SETTINGS)
        private_folder(self.file.parent)
        write_private(f"{limit / PER_USD}", self.file)


def _read(text: str, place: str) -> int:
    try:
        usd = float(text)
    except ValueError:
        usd = math.nan
    if 0 <= usd <= LARGEST / PER_USD:
        return max(micros(usd), usd > 0)  # next to nothing is not 0, which is no limit
    raise InvalidBudget(key="invalidBudget", place=place)


def micros(usd: float) -> int:
    return round(usd * PER_USD)


def base_price(model: ModelInfo, duration: int) -> int | None:
    """What a video of so many seconds costs at least, by the list; None where that is not known."""
    unit = model.price_unit.lower().removeprefix("per ").strip()
    if model.base_price_usd is None or unit not in (*_OF_A_SECOND, *_OF_A_VIDEO):
        return None
    return micros(model.base_price_usd * (duration if unit in _OF_A_SECOND else 1))


def estimate(costs: Sequence[float], base: int | None) -> int | None:
    """What a video will cost at most: as much as the dearest of the latest ones of its kind, and the list's price."""
    return max([*map(micros, costs), *([] if base is None else [base])], default=None)
