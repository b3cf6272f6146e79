"""Facts put together from the files of a project, against the exact trust of its maps."""

from dataclasses import replace

import numpy as np
import pytest
from made_labels import HEIGHT, WIDTH, a_project, pseudo_label

from smarthdr_studio.core.curation.project_facts import (
    kept_psnr,
    measure_psnr,
    read_project_facts,
    read_scene_facts,
)
from smarthdr_studio.core.curation.proposals import Rule, propose
from smarthdr_studio.core.curation.queues import most_worth
from smarthdr_studio.core.datasets.ground_truth import NO_FIX
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.labels import provenance_of
from smarthdr_studio.core.training.rounds import RoundRecord, history_path, write_record
from smarthdr_studio.core.trust.masking import MaskSettings, pool_ranges, trust
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label, write_pseudo_label

MASKS = MaskSettings(tau_patch=0.6, tau_pixel=0.3)
POOL = ("b", "c", "d")


@pytest.fixture
def project(tmp_path):
    with a_project(tmp_path) as made:
        for name in POOL:
            SceneStatistics.of(pseudo_label(name).sigma).save(made.statistics_path(name))
        Decisions(made).set_masks(MASKS)
        yield made


def write_rounds(project, run, shares):
    """One round for each mapping from scenes to shares."""
    known = {name: SceneStatistics.load(project.statistics_path(name)) for name in POOL}
    for number, retained in enumerate(shares):
        path = history_path(project.runs_folder / run, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        record = RoundRecord(
            round=number,
            step=number,
            epoch=number,
            masks=MASKS,
            patch_range=None,
            pixel_range=None,
            statistics={name: known[name] for name in retained},
            retained=retained,
        )
        write_record(path, record)


def by_id(project, **known):
    return {each.id: each for each in read_scene_facts(project, **known)}


def test_every_scene_has_one_line_in_the_order_of_the_project(project):
    assert [each.id for each in read_scene_facts(project)] == [scene.id for scene in project.scenes]
    found = by_id(project)
    assert {name: each.status for name, each in found.items()} == project.statuses()
    assert all(each.pixels == HEIGHT * WIDTH for each in found.values())
    assert found["a"].retained is found["t"].retained is None


def test_shares_are_those_of_the_trust_function_brush_and_all(project):
    person = np.zeros((HEIGHT, WIDTH), np.int8)
    person[:20], person[30:40] = 1, -1
    Decisions(project).paint("b", lambda _: person)
    patches, pixels = pool_ranges([pseudo_label(name).sigma for name in POOL], MASKS)
    found = by_id(project)
    for name in POOL:
        exact = trust(
            pseudo_label(name).sigma,
            MASKS,
            patch_range=patches,
            pixel_range=pixels,
            person=person if name == "b" else None,
        ).trusted.mean()
        assert found[name].retained == pytest.approx(exact, abs=0.02)
    assert found["b"].painted == pytest.approx(30 / HEIGHT)
    assert found["c"].painted == 0


def test_a_promoted_scene_is_judged_with_the_pool_it_left(project):
    before = by_id(project)
    Decisions(project).promote(["b"], whole=True)
    after = by_id(project)
    assert after["b"].status is Status.PROMOTED
    assert after["b"].whole
    assert after["b"].retained is not None
    assert after["b"].sigma_mean == before["b"].sigma_mean


def test_a_promoted_scene_keeps_the_share_of_its_frozen_label_whatever_the_pool_becomes(project):
    Decisions(project).promote(["b"])
    before = by_id(project)["b"].retained
    frozen = read_pseudo_label(project.label_path("b"))
    of = frozen.provenance
    exact = trust(
        frozen.sigma, of.masks, patch_range=of.patch_range, pixel_range=of.pixel_range
    ).trusted.mean()
    assert before == pytest.approx(exact, abs=1e-6)
    for name in ("c", "d"):
        other = replace(pseudo_label(name), sigma=pseudo_label(name).sigma / 7)
        write_pseudo_label(project.pseudo_path(name), other)
        SceneStatistics.of(other.sigma).save(project.statistics_path(name))
    SceneStatistics.of(pseudo_label("b").sigma * 3).save(project.statistics_path("b"))
    Decisions(project).set_masks(MaskSettings(tau_patch=0.1, tau_pixel=0.1))
    after = by_id(project)
    assert after["b"].retained == before
    assert after["c"].retained != before


def test_a_label_used_whole_is_retained_whole_and_one_that_is_gone_is_told(project):
    Decisions(project).promote(["b"], whole=True)
    assert by_id(project)["b"].retained == 1
    Decisions(project).promote(["c"])
    project.label_path("c").unlink()
    problems = read_project_facts(project).problems
    assert [str(project.label_path("c")) in line for line in problems] == [True]


def test_a_frozen_label_that_leads_out_of_the_project_is_told_and_not_read(project, tmp_path):
    Decisions(project).promote(["b"])
    label = project.folder / project.state("b").label
    outside = label.rename(tmp_path / "somewhere-else.exr")
    label.symlink_to(outside)
    facts = read_project_facts(project)
    assert any("b" in each and str(project.folder) in each for each in facts.problems)


def test_tags_notes_and_reviews_are_where_they_belong(project):
    Decisions(project).annotate(["c"], note="too dark", add=["night"])
    project.mark_reviewed(["d"])
    found = by_id(project)
    assert (found["c"].note, found["c"].tags) == ("too dark", ("night",))
    assert [name for name, each in found.items() if each.reviewed] == ["d"]


def test_an_error_that_was_measured_is_known_until_either_file_changes(project):
    radiance = pseudo_label("b").hdr.astype(np.float32)
    truth = np.clip(radiance + 0.01, 0, 1)
    Decisions(project).import_truth("b", truth, provenance=provenance_of([], NO_FIX))
    assert kept_psnr(project) == ({}, ("b",))
    assert by_id(project)["b"].psnr_mu is None
    found = measure_psnr(project, "b")
    assert 20 < found < 60
    assert by_id(project)["b"].psnr_mu == found
    assert kept_psnr(project) == ({"b": found}, ())
    write_pseudo_label(project.pseudo_path("b"), pseudo_label("b", seed=5))
    assert by_id(project)["b"].psnr_mu is None
    assert measure_psnr(project, "c") is None


def test_rounds_are_those_of_the_newest_run_that_has_any(project):
    write_rounds(project, "20260101-000000-quick", [dict.fromkeys(POOL, 0.1)] * 6)
    shares = [dict.fromkeys(POOL, 0.2 + 0.1 * number) for number in range(5)]
    del shares[1]["c"]
    write_rounds(project, "20260102-000000-quick", shares)
    (project.runs_folder / "20260103-000000-quick").mkdir()
    found = by_id(project)
    assert found["b"].rounds == pytest.approx((0.2, 0.3, 0.4, 0.5, 0.6))
    assert found["b"].trend == pytest.approx(0.3)
    assert found["c"].rounds == pytest.approx((0.2, 0.4, 0.5, 0.6))
    assert np.isnan(read_project_facts(project).shares["c"][1])
    assert found["a"].rounds == ()
    assert found["a"].trend is None


def test_what_cannot_be_read_is_told_and_takes_no_part(project):
    project.statistics_path("c").write_bytes(b"not statistics")
    found = read_project_facts(project)
    (sentence,) = found.problems
    assert "c.npz" in sentence
    assert {item.scene for item in most_worth(found.material())} == {"b", "d"}


def test_without_any_pseudo_label_there_is_nothing_to_rank_or_propose(project):
    for name in POOL:
        project.statistics_path(name).unlink()
    found = read_project_facts(project)
    assert most_worth(found.material()) == ()
    assert propose(Rule(), found.shares, found.pool_now()).scenes == ()
