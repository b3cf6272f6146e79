"""Filtering, sorting and ranking 10,000 scenes, and looking at the frames of one."""

import numpy as np
from table import Row, row, show, timed

from smarthdr_studio.core.curation.clues import DESCRIPTOR_LENGTH, ClueRecord, record_of
from smarthdr_studio.core.curation.query import parse
from smarthdr_studio.core.curation.queues import RankingInput, most_worth, safest
from smarthdr_studio.core.curation.scene_facts import SceneFacts, SortKey, sorted_scenes
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.trust.masking import MaskSettings

SCENES = 10_000
HEIGHT, WIDTH, PATCHES = 1000, 1500, 16 * 24
QUERIES = ("status:unlabelled retained<0.6", "-tag:indoor window or sigma>0.01 trend<0", "0123")


def material_of(scenes: int) -> RankingInput:
    """Scenes of 1500×1000, a few of them labelled, all that queues can use known of each."""
    rng = np.random.default_rng(0)
    ids = [f"{k:05}" for k in range(scenes)]
    records = {
        name: ClueRecord(
            height=HEIGHT,
            width=WIDTH,
            saturated=rng.integers(0, 128, PATCHES).astype(np.uint8),
            moving=rng.integers(0, 128, PATCHES).astype(np.uint8),
            saturation=0.25,
            motion=0.25,
            look=rng.normal(0, 0.02, DESCRIPTOR_LENGTH).astype(np.float16),
        )
        for name in ids
    }
    means = {name: rng.lognormal(-4.6, 0.4, PATCHES).astype(np.float32) for name in ids}
    facts = [a_scene(name, labelled=k % 200 == 0, rng=rng) for k, name in enumerate(ids)]
    return RankingInput(facts=facts, masks=MaskSettings(), patch_means=means, records=records)


def a_scene(name: str, *, labelled: bool, rng: np.random.Generator) -> SceneFacts:
    """One scene with every figure known."""
    shares = rng.uniform(0, 1, 6).tolist()
    return SceneFacts(
        id=name,
        status=Status.GROUND_TRUTH if labelled else Status.UNLABELLED,
        retained=shares[0],
        trend=shares[1] - 0.5,
        sigma_mean=shares[2] / 50,
        rounds=tuple(shares),
        tags=("indoor", "evening") if shares[3] < 0.3 else (),
        note="a bright window" if shares[4] < 0.1 else "",
    )


def main() -> list[Row]:
    """Filters, orders, both queues, and one record."""
    material = material_of(SCENES)
    facts, few = material.facts, material_of(1000)
    queries = [parse(text) for text in QUERIES]
    keys = list(SortKey)
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 65536, (HEIGHT, WIDTH, 3)).astype(np.uint16) for _ in range(3)]
    bracket = Bracket(*frames, (0.0, 2.0, 4.0))
    filtered = timed(lambda k: queries[k % len(queries)].chosen(facts), times=60)
    ordered = timed(lambda k: sorted_scenes(facts, keys[k % len(keys)]), times=26)
    safe = timed(lambda _: safest(material), times=5)
    worth = timed(lambda _: most_worth(material), times=5)
    worth_of_few = timed(lambda _: most_worth(few), times=10)
    looked = timed(lambda _: record_of(bracket), times=10)
    many = f"{SCENES:,} scenes"
    return [
        row(f"query line → {many}", filtered, unit="ms", reach="50 ms", stretch="10 ms"),
        row(f"{many} sorted", ordered, unit="ms", reach="50 ms", stretch="–"),
        row(f"safest to promote of {many}", safe, unit="ms", reach="–", stretch="300 ms"),
        row(f"most worth labelling of {many}", worth, unit="ms", reach="–", stretch="300 ms"),
        row("… of 1,000 scenes", worth_of_few, unit="ms", reach="–", stretch="30 ms"),
        row("clues of a decoded 1500×1000", looked, unit="ms", reach="–", stretch="60 ms"),
    ]


if __name__ == "__main__":
    show(main())
