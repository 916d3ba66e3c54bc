"""The settings that find held-out items of the source best: of the head, and of the views of the catalogue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from pipeline.base.progress import progress
from pipeline.control.held_out import AS_FINE_TUNED, HeadSetting, HeldOut
from pipeline.control.whitened import NothingToWhiten
from pipeline.views.mix import Mix

SHRINKAGES = (0.1, 0.3, 0.5)
SHARES = (0.3, 0.5, 0.7)
CLEAR = 2.0  # standard errors
HEADS = (
    HeadSetting(root=True, shrinkage=None),
    *(HeadSetting(root, shrinkage) for root in (False, True) for shrinkage in SHRINKAGES),
)
NO_VIEWS = "none"


@dataclass(frozen=True)
class Trial:
    """A setting that was tried, and the mean AP (I,) of the queries of each held-out item; None: it cannot be had."""

    name: str
    scores: np.ndarray | None

    @property
    def mean(self) -> float:
        """Over the items; minus infinity where it cannot be had."""
        return -np.inf if self.scores is None else float(self.scores.mean())

    def report(self, before: "Trial") -> dict[str, float | None]:
        """Its mean, and its gain over another with that gain's standard error, for JSON."""
        if self.scores is None:
            return {"mean": None}
        if self is before or before.scores is None:
            return {"mean": self.mean}
        gain = self.scores - before.scores
        return {"mean": self.mean, "gain": float(gain.mean()), "error": _standard_error(gain)}


@dataclass(frozen=True)
class Choice:
    """What was chosen (`mix` None: no views), and the trials of heads and of mixes, each beginning with the default."""

    setting: HeadSetting
    mix: Mix | None
    heads: tuple[Trial, ...]
    mixes: tuple[Trial, ...]
    items: int

    @property
    def report(self) -> dict[str, Any]:
        """For JSON."""
        tried = {
            kind: {trial.name: trial.report(trials[0]) for trial in trials}
            for kind, trials in (("heads", self.heads), ("views", self.mixes))
        }
        return {"head": self.setting.name, "views": name_of(self.mix), "held_out_items": self.items, "tried": tried}


def default_choice(setting: HeadSetting, mix: Mix | None) -> Choice:
    """These settings, which nothing was compared with."""
    return Choice(setting, mix, (), (), 0)


def choose(held_out: HeldOut, setting: HeadSetting, mix: Mix | None) -> Choice:
    """The head first, then the views, from the default `setting` and `mix` on.

    Few items tell little: another one than the default is taken only where it is clearly better, see `best_place`.
    """
    settings = _unique([setting, AS_FINE_TUNED, *HEADS])
    shown = progress(settings, what="choose a head", unit="head")
    heads = tuple(Trial(each.name, _scores(held_out, each)) for each in shown)
    place = best_place(heads)
    setting = settings[place]
    mixes: list[Mix | None] = _unique([*([] if mix is None else [mix]), None, *mixes_of(held_out.kinds)])
    with_views = held_out.score_mixes(setting, [each for each in mixes if each is not None])
    scores = {name_of(each): made for each, made in zip(filter(None, mixes), with_views, strict=True)}
    scores[NO_VIEWS] = heads[place].scores
    trials = tuple(Trial(name_of(each), scores[name_of(each)]) for each in mixes)
    return Choice(setting, mixes[best_place(trials)], heads, trials, held_out.items)


def best_place(trials: Sequence[Trial]) -> int:
    """The place of the best trial, if it beats the first by more than `CLEAR` standard errors; else the first's.

    The error is that of the mean difference, paired over items.
    """
    best = int(np.argmax([trial.mean for trial in trials]))
    if trials[0].scores is None:
        return best
    gain = trials[best].scores - trials[0].scores
    return best if gain.mean() > CLEAR * _standard_error(gain) else 0


def name_of(mix: Mix | None) -> str:
    """A mix, or none, in words."""
    return NO_VIEWS if mix is None else mix.name


def mixes_of(numbers: dict[str, int]) -> list[Mix]:
    """Each kind, all views of it or half of them, and two kinds half each; with each of `SHARES`."""
    kinds = list(numbers)
    halves = [{kind: numbers[kind] // 2} for kind in kinds if numbers[kind] > 1]
    whole = [{kind: numbers[kind]} for kind in kinds]
    pairs = [
        {one: numbers[one] // 2, other: numbers[other] // 2}
        for place, one in enumerate(kinds)
        for other in kinds[place + 1 :]
        if min(numbers[one], numbers[other]) > 1
    ]
    return [Mix(counts, share) for counts in chain(halves, whole, pairs) for share in SHARES]


def _scores(held_out: HeldOut, setting: HeadSetting) -> np.ndarray | None:
    try:
        return held_out.score(setting)
    except NothingToWhiten:
        return None


def _standard_error(gain: np.ndarray) -> float:
    return float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else np.inf


def _unique(settings: Iterable[Any]) -> list[Any]:
    made = list(settings)
    return [each for place, each in enumerate(made) if each not in made[:place]]
