"""Facts about scenes, made up: with every figure known, or with any of them missing."""

from hypothesis import strategies as st

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.project.journal import Status

share = st.floats(0, 1)
words = st.sampled_from(["", "indoor", "night", "a window", "Ünder the tree"])


def a_scene(name, **known):
    """An unlabelled scene of which only this is known."""
    return SceneFacts(**{"id": name, "status": Status.UNLABELLED, **known})


def scenes_of(figure):
    """A strategy: scenes whose figures come from another strategy."""
    return st.builds(
        SceneFacts,
        id=st.text("0123", min_size=1, max_size=3),
        status=st.sampled_from(Status),
        retained=figure,
        trend=figure,
        sigma_mean=figure,
        motion=figure,
        saturation=figure,
        psnr_mu=figure,
        painted=share,
        tags=st.frozensets(words.filter(bool), max_size=2).map(lambda tags: tuple(sorted(tags))),
        note=words,
        reviewed=st.booleans(),
        whole=st.booleans(),
    )


known_scenes = scenes_of(share)
any_scenes = scenes_of(st.none() | share)
