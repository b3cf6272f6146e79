"""The record of a round is small, whole or not there, and the same when it is read again."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.training.rounds import (
    RECORDED_BINS,
    RoundRecord,
    history_path,
    read_record,
    recorded_rounds,
    write_record,
)
from smarthdr_studio.core.trust.masking import Level, MaskSettings, Range
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics


def statistics(shape=(72, 97), *, seed=0, size=16):
    sigma = np.random.default_rng(seed).lognormal(-4.5, 0.6, shape).astype(np.float32)
    return SceneStatistics.of(sigma, size=size).coarser(RECORDED_BINS)


def record(**changes):
    of = RoundRecord(
        round=3,
        step=120,
        epoch=7,
        masks=MaskSettings(tau_patch=0.3, patch_size=16, pixels=Level(normalisation="percentile")),
        patch_range=Range(0.012345678901234567, 0.2),
        pixel_range=None,
        statistics={"a": statistics(), "Wald ñ": statistics((40, 50), seed=1)},
        retained={"a": 1 / 3, "Wald ñ": 0.75},
        columns={"a": 7, "Wald ñ": 4},
    )
    return replace(of, **changes)


def _same(one, other):
    for name in ("means", "lows", "highs", "counts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.patch_size == other.patch_size
    assert one.counts.dtype == other.counts.dtype


def test_what_is_written_comes_back_to_the_last_bit(tmp_path):
    of = record()
    write_record(tmp_path / "r.npz", of)
    found = read_record(tmp_path / "r.npz")
    for name in ("round", "step", "epoch", "masks", "patch_range", "pixel_range", "retained"):
        assert getattr(found, name) == getattr(of, name)
    assert found.columns == of.columns
    assert list(found.statistics) == ["a", "Wald ñ"]
    assert len(found.statistics) == 2
    assert "b" not in found.statistics
    for scene, expected in of.statistics.items():
        _same(found.statistics[scene], expected)
        np.testing.assert_array_equal(found.statistics.means(scene), expected.means)


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (17, 5)])
def test_tiny_scenes_come_back_too(tmp_path, shape):
    of = record(statistics={"a": statistics(shape)}, retained={"a": 0.0}, columns={"a": 1})
    write_record(tmp_path / "r.npz", of)
    _same(read_record(tmp_path / "r.npz").statistics["a"], of.statistics["a"])


def test_patches_of_many_pixels_come_back_too(tmp_path):
    sigma = np.full((300, 300), 0.5, np.float32)
    whole = SceneStatistics.of(sigma, size=300).coarser(RECORDED_BINS)
    assert whole.counts.max() == 90000
    write_record(
        tmp_path / "r.npz",
        record(statistics={"a": whole}, retained={"a": 1.0}, columns={"a": 1}),
    )
    _same(read_record(tmp_path / "r.npz").statistics["a"], whole)


def test_a_round_without_scenes_has_a_record(tmp_path):
    write_record(tmp_path / "r.npz", record(statistics={}, retained={}, columns={}))
    found = read_record(tmp_path / "r.npz")
    assert dict(found.statistics) == {}
    assert found.masks == record().masks


def _large_maps():
    rng = np.random.default_rng(0)
    coarse = rng.standard_normal((40, 60)).astype(np.float32)
    smooth = cv2.resize(coarse, (1500, 1000), interpolation=cv2.INTER_CUBIC)
    return {
        "as a network's": np.exp(-4.6 + 0.5 * smooth + 0.35 * rng.standard_normal((1000, 1500))),
        "spread over all bins": np.exp(rng.uniform(np.log(1e-3), 0, (1000, 1500))),
        "constant": np.full((1000, 1500), 0.01),
    }


def test_a_record_takes_at_most_25_kb_for_a_scene_of_1500_by_1000(tmp_path):
    for name, sigma in _large_maps().items():
        whole = SceneStatistics.of(sigma.clip(1e-3, 1).astype(np.float32))
        of = record(
            statistics={"a": whole.coarser(RECORDED_BINS)}, retained={"a": 0.5}, columns={"a": 24}
        )
        write_record(tmp_path / "r.npz", of)
        size = (tmp_path / "r.npz").stat().st_size
        print(f"σ {name}: {size / 1000:.1f} kB for {whole.patches} patches")
        assert size <= 25_000


def test_an_error_while_writing_leaves_the_old_record(tmp_path, monkeypatch):
    path = tmp_path / "r.npz"
    write_record(path, record())
    before = path.read_bytes()

    def full(file, **arrays):
        file.write(b"PK half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space left"):
        write_record(path, record(round=4))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_record_cut_anywhere_is_one_sentence(tmp_path):
    path = tmp_path / "r.npz"
    write_record(path, record())
    content = path.read_bytes()
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        with pytest.raises(LabelError, match=r"r\.npz: the record of this round cannot be read"):
            read_record(path)


def test_a_foreign_or_newer_record_is_one_sentence(tmp_path):
    path = tmp_path / "r.npz"
    for content in (b"", b"text", np.arange(5).tobytes()):
        path.write_bytes(content)
        with pytest.raises(LabelError, match="cannot be read"):
            read_record(path)
    for about in (b"{", b"[]", b"{}", b'{"format": 1}'):
        np.savez(path, about=np.frombuffer(about, np.uint8), means=np.zeros(1))
        with pytest.raises(LabelError, match="cannot be read"):
            read_record(path)
    np.savez(path, about=np.frombuffer(b'{"format": 99}', np.uint8))
    with pytest.raises(LabelError, match=r"newer version.*update SmartHDR Studio"):
        read_record(path)
    path.unlink()
    with pytest.raises(LabelError, match="No such file"):
        read_record(path)


def test_damage_inside_the_histograms_is_told_when_they_are_asked_for(tmp_path):
    path = tmp_path / "r.npz"
    write_record(path, record())
    content = bytearray(path.read_bytes())
    at = content.index(b"planes.npy") + 200
    content[at : at + 40] = bytes(40)
    path.write_bytes(bytes(content))
    found = read_record(path)
    with pytest.raises(LabelError, match="cannot be read"):
        found.statistics["a"]
    assert found.statistics.get("a") is None
    np.testing.assert_array_equal(found.statistics.means("a"), record().statistics["a"].means)


def test_statistics_of_a_record_that_has_gone_are_not_to_be_had(tmp_path):
    path = tmp_path / "r.npz"
    write_record(path, record())
    found = read_record(path)
    path.unlink()
    with pytest.raises(LabelError, match="No such file"):
        found.statistics["a"]
    assert found.statistics.get("a") is None
    with pytest.raises(KeyError):
        found.statistics["nobody"]
    write_record(path, record())
    _same(found.statistics["a"], record().statistics["a"])


def test_statistics_of_another_past_are_never_taken_for_those_of_the_record(tmp_path):
    path = tmp_path / "r.npz"
    write_record(path, record())
    found = read_record(path)
    other = record(statistics={"a": statistics(seed=9), "Wald ñ": statistics((40, 50), seed=1)})
    write_record(path, other)
    with pytest.raises(LabelError, match="replaced by a resumed run"):
        found.statistics["a"]


def test_a_known_record_is_not_read_again_unless_the_file_is_another(tmp_path):
    path = tmp_path / "r.npz"
    write_record(path, record())
    known = read_record(path)
    assert read_record(path, known=known) is known
    write_record(path, record())
    assert read_record(path, known=known) is known
    other = {"a": statistics(seed=5), "Wald ñ": statistics((40, 50), seed=1)}
    for changed in (record(retained={"a": 0.5, "Wald ñ": 0.75}), record(statistics=other)):
        write_record(path, changed)
        found = read_record(path, known=known)
        assert found is not known
        assert found.retained == changed.retained
        _same(found.statistics["a"], changed.statistics["a"])


def test_recorded_rounds_are_found_by_rising_number(tmp_path):
    assert recorded_rounds(tmp_path) == ()
    for number in (10, 9, 12345):
        write_record(history_path(tmp_path, number), record(round=number))
    (tmp_path / "history" / ".0011.0123abcd.npz").write_bytes(b"")
    (tmp_path / "history" / "notes.npz").write_bytes(b"")
    assert recorded_rounds(tmp_path) == (9, 10, 12345)
