"""Which contents a network is never trained on.

The shipped weights (fold 0) keep a fifth of the images' contents and "vegetables" aside. Few contents were ever rated,
so the figures that the model card gives come from cross-validation: folds 1 to 3 share all contents out among them, and
each row is judged by the network that never saw its content.
"""

from __future__ import annotations

VALIDATION_ONLY = frozenset({"vegetables"})  # non-commercial terms: never trained on

# A title that is in both sets stays in one fold, and so do both cuts of "weapon".
FOLDS: tuple[frozenset[str], ...] = (
    frozenset({
        "Netflix_BarScene", "NTIA_4K_Vignette_1_Violin", "classroom", "costa_rica", "raptors", "weapon-standard",
        "weapon8k-standard",
    }),
    frozenset({
        "Dancers", "Giftmord-SDR", "LeagueOfLegends", "vegetables",
        "BuildingHall2", "NTIA_4K_Vignette_1_Violin", "Netflix_BarScene", "RollerCoaster", "ToddlerFountain", "animals",
        "ein_abend_zu_zweit",
    }),
    frozenset({
        "american_football", "bigbuck_bunny", "water_netflix",
        "Campfire", "Netflix_PierSeaside", "Tango", "classroom", "costa_rica", "epicdragon-skintone", "myanmar",
        "red_rocks",
    }),
    frozenset({
        "Daydreamer_SDR", "air_acrobatics", "monkeys",
        "DaylightRoad2", "NETFLIX_ElFuente", "Netflix_DinnerScene", "asian_fusion", "raptors", "weapon-standard",
        "weapon8k-standard",
    }),
)  # fmt: skip


def held_out(fold: int = 0) -> frozenset[str]:
    """Contents that training on this fold never sees."""
    return FOLDS[fold] | VALIDATION_ONLY
