"""Rungs of ladders without a master that show another film than the others: nothing else would tell.

Three moments of each are looked at, and closely those of which these differ. What most of them show is the ladder; of
as many on each side nobody knows which is right. A master tells by itself, so ladders that have one are not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

from .fingerprint import Alike
from .groups import Group, Item, LooksLike, grandeur
from .namesakes import Apart

RUNGS_LIMIT = 400  # looked at: a tenth to a third of a second and some ten requests of a store each


def part_odd_ones(groups: Sequence[Group], looks: LooksLike) -> tuple[list[Group], list[Apart], list[str]]:
    """Put what shows another film out of ladders that were found by names and have no master.

    Args:
        groups: all, with the masters that lie elsewhere.
        looks: at contents.

    Returns:
        All groups, what is by itself now, and a note where not all were looked at.
    """
    done, parted = list[Group](), list[Apart]()
    left, passed = RUNGS_LIMIT, 0
    for each in groups:
        count = len(each.items)
        if each.by != "name" or each.master is not None or each.items[0].still:
            done.append(each)
        elif count > left:
            done.append(each)
            passed += count
        else:
            left -= count
            home, *others = _contents(each.items, looks)
            even = bool(others) and len(others[0]) == len(home)
            done.append(Group(home, _by(home), notes=each.notes))
            done += [Group(some, _by(some)) for some in others]
            parted += [Apart(some, home[0], even=even and len(some) == len(home)) for some in others]
            parted += [Apart(home, others[0][0], even=True)] if even else []
    said = (
        f"{passed:,} rungs of ladders without a master are taken for one film by their names: their pictures were not"
    )
    return done, parted, [f"{said} compared"] if passed else []


def _by(items: Sequence[Item]) -> str:
    return "name" if len(items) > 1 else "single"


def _contents(items: Sequence[Item], looks: LooksLike) -> list[list[Item]]:
    """Items by what they show, what most show first; each in the order they are given in."""
    rest = sorted(items, key=lambda item: (*grandeur(item, looks), item.relative), reverse=True)
    found: list[list[Item]] = []
    while rest:
        one, others = rest[0], rest[1:]
        verdicts = looks.alike(one.ref, [item.ref for item in others]) if others else []
        unlike = [item for item, seen in zip(others, verdicts, strict=True) if seen is Alike.DIFFERENT]
        rest = [item for item in unlike if looks.differ(one.ref, item.ref)]
        found.append([item for item in items if item is one or (item in others and item not in rest)])
    return sorted(found, key=len, reverse=True)
