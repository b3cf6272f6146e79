"""What results add up to: means and spreads by hand, claims that hold and do not, and tables."""

import csv
import json
from dataclasses import replace

import pytest

from smarthdr_studio.core.reporting.benchmark_table import (
    METRIC_WORDS,
    table_cells,
    table_columns,
    write_csv,
    write_latex,
    write_markdown,
)
from smarthdr_studio.core.training.benchmark import load_benchmark
from smarthdr_studio.core.training.benchmark_claims import (
    METRICS,
    figures_of,
    mixed_programs,
    notes_of,
    verdicts_of,
)
from smarthdr_studio.core.training.benchmark_results import CellResult


@pytest.fixture
def benchmark(tmp_path):
    """A plan with rows "new" and "old", so many seeds, and one claim about them."""

    def make(*, seeds=3, new="new", metrics="", **claim):
        asked = {"text": "New beats old", "better": new, "than": "old", **claim}
        lines = [f"{key} = {json.dumps(value)}" for key, value in asked.items()]
        text = f'seeds = {list(range(seeds))}\n[[row]]\nname = "{new}"\n[[row]]\nname = "old"\n'
        text = f"metrics = {metrics}\n{text}" if metrics else text
        path = tmp_path / "claims.toml"
        path.write_text(text + "labels = 3\n[[claim]]\n" + "\n".join(lines), encoding="utf-8")
        return load_benchmark(str(path))

    return make


def measured(rows, *, metric="psnr_mu", steps=None):
    """Results with these figures: by row, one for each seed; None is missing."""
    return {
        (row, seed): CellResult(
            identity=f"{row}{seed}",
            row=row,
            seed=seed,
            labels=("a", "b"),
            plan={},
            dataset={"fingerprint": "f"},
            machine={},
            started="",
            seconds=60.0 + seed,
            steps=(steps or {}).get(row, 100),
            teacher={"psnr_l": 30.0, metric: value},
            merge={"psnr_mu": 25.0, "psnr_l": 24.0},
        )
        for row, values in rows.items()
        for seed, value in enumerate(values)
        if value is not None
    }


def verdict(benchmark, rows, **how):
    (found,) = verdicts_of(benchmark, figures_of(benchmark, measured(rows, **how)))
    return found


def test_means_and_spreads_are_those_of_a_sample(benchmark):
    made = benchmark()
    rows = {"new": (39.0, 40.0, 41.0), "old": (37.0, 37.5, 38.3)}
    new, old = figures_of(made, measured(rows))
    assert (new.mean("psnr_mu"), new.spread("psnr_mu")) == (40.0, 1.0)
    assert old.mean("psnr_mu") == pytest.approx(37.6)
    # ((0.6² + 0.1² + 0.7²) / 2)^½
    assert old.spread("psnr_mu") == pytest.approx(0.43**0.5, abs=1e-6)
    assert new.mean("psnr_mu", of="merge") == 25.0
    assert new.seconds == 61.0


def test_the_spread_of_a_comparison_is_the_larger_of_its_two_rows(benchmark):
    rows = {"new": (39.0, 40.0, 41.0), "old": (37.9, 38.0, 38.1)}
    found = verdict(benchmark(), rows)
    assert (found.holds, found.gain, found.spread) == (True, 2.0, 1.0)
    assert found.sentence == ("holds: 40.00 against 38.00 dB, 2.00 dB apart, 2.0 times the spread")


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ({}, True),
        ({"by": 2.0}, True),  # at least
        ({"by": 2.01}, False),
        ({"spreads": 2.0}, True),
        ({"spreads": 2.1}, False),
        ({"by": 2.0, "spreads": 2.0}, True),
        ({"by": 1.0, "spreads": 3.0}, False),  # both must hold
        ({"by": -1.0}, True),
    ],
)
def test_a_claim_asks_for_a_gain_in_decibels_and_in_spreads(benchmark, claim, holds):
    rows = {"new": (39.0, 40.0, 41.0), "old": (37.9, 38.0, 38.1)}
    assert verdict(benchmark(**claim), rows).holds is holds


def test_a_gain_that_only_binary_numbers_make_too_small_is_large_enough(benchmark):
    rows = {"new": (39.0, 39.0), "old": (38.7, 38.7)}
    assert 39.0 - 38.7 < 0.3
    assert verdict(benchmark(seeds=2, by=0.3), rows).holds


def test_of_equals_neither_is_better_but_one_may_be_no_worse(benchmark):
    rows = {"new": (38.0, 38.0), "old": (38.0, 38.0)}
    found = verdict(benchmark(seeds=2), rows)
    assert found.sentence == (
        "does not hold: 38.00 against 38.00 dB, 0.00 dB apart, the spread is 0"
    )
    assert verdict(benchmark(seeds=2, by=-0.1), rows).holds
    assert not verdict(benchmark(seeds=2, by=-0.1), {**rows, "new": (37.8, 37.8)}).holds


def test_a_row_that_is_worse_is_told_so(benchmark):
    found = verdict(benchmark(seeds=2), {"new": (36.0, 37.0), "old": (38.0, 38.0)})
    assert (found.holds, found.gain) == (False, -1.5)
    assert found.sentence == (
        "does not hold: 36.50 against 38.00 dB, 1.50 dB apart the other way round, "
        "2.1 times the spread"
    )


def test_of_what_is_best_at_zero_less_is_more(benchmark):
    rows = {"new": (0.10, 0.10), "old": (0.30, 0.30)}
    found = verdict(benchmark(seeds=2, metric="ause", by=0.2), rows, metric="ause")
    assert (found.holds, found.gain) == (True, 0.2)
    assert found.sentence.startswith("holds: 0.1000 against 0.3000 ause, 0.2000 apart")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ({"new": (39.0, None, 40.0), "old": (37.0, 37.0, 37.0)}, "1 of 3 seeds is missing"),
        ({"new": (39.0, None, 40.0), "old": (None, None, 37.0)}, "2 of 3 seeds are missing"),
        ({"new": (), "old": ()}, "3 of 3 seeds are missing"),
    ],
)
def test_a_claim_is_not_judged_before_every_seed_is_there(benchmark, rows, why):
    found = verdict(benchmark(), rows)
    assert (found.holds, found.sentence) == (None, f"not known yet: {why}")


def test_one_seed_can_say_how_far_but_not_in_spreads(benchmark):
    rows = {"new": (39.0,), "old": (38.0,)}
    found = verdict(benchmark(seeds=1), rows)
    assert found.sentence == "holds: 39.00 against 38.00 dB, 1.00 dB apart"
    assert verdict(benchmark(seeds=1, spreads=1.0), rows).sentence == (
        "not known yet: one seed has no spread; give the plan two or more"
    )


def test_a_figure_that_is_no_number_leaves_a_claim_open(benchmark):
    rows = {"new": (39.0, 39.0), "old": (38.0, 38.0)}
    found = verdict(benchmark(seeds=2, metric="spearman"), rows)
    assert found.sentence == "not known yet: spearman gave no number"


def test_rows_that_took_unequal_steps_are_told_so(benchmark):
    rows = {"new": (39.0, 39.5), "old": (38.0, 38.0)}
    found = verdict(benchmark(seeds=2), rows, steps={"new": 300})
    assert found.sentence.endswith(", at unequal steps (300 against 100)")


def test_the_table_says_what_was_not_run(benchmark):
    rows = {"new": (39.0, 40.0, 41.0), "old": ()}
    made = benchmark()
    assert table_columns(made) == (
        *("row", "labels", "PSNR-μ", "PSNR-l", "merge PSNR-μ", "runs", "seconds"),
    )
    assert table_cells(made, figures_of(made, measured(rows))) == [
        ("new", "2", "40.00 ± 1.00", "30.00 ± 0.00", "25.00", "3/3", "61"),
        ("old", "3", "not run", "not run", "", "0/3", ""),
    ]
    one = table_cells(made, figures_of(made, measured({"new": (39.0,)})))
    assert one[0] == ("new", "2", "39.00", "30.00", "25.00", "1/3", "60")


def test_markdown_escapes_what_would_end_a_cell(benchmark, tmp_path):
    made = benchmark(new="a|b", text="Is a|b\nbetter")
    rows = figures_of(made, measured({"a|b": (39.0, 40.0, 41.0), "old": (38.0, 38.0, 38.0)}))
    write_markdown(tmp_path / "t.md", made, rows, verdicts_of(made, rows))
    lines = (tmp_path / "t.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "claims"
    assert "| a\\|b | 2 | 40.00 ± 1.00 | 30.00 ± 0.00 | 25.00 | 3/3 | 61 |" in lines
    assert "± is the sample standard deviation over seeds" in "\n".join(lines)
    assert lines[-1].startswith("- Is a|b better: holds: 40.00 against 38.00 dB")


def test_latex_escapes_its_own_signs(benchmark, tmp_path):
    name = "50 % of_a & b"
    made = benchmark(new=name)
    rows = figures_of(made, measured({name: (39.0, 40.0, 41.0)}))
    write_latex(tmp_path / "t.tex", made, rows)
    text = (tmp_path / "t.tex").read_text(encoding="utf-8")
    assert (
        r"50 \% of\_a \& b & 2 & 40.00 $\pm$ 1.00 & 30.00 $\pm$ 0.00 & 25.00 & 3/3 & 61 \\" in text
    )
    assert "μ" not in text


def test_the_csv_has_every_metric_and_empty_cells_for_what_is_not_known(benchmark, tmp_path):
    rows = figures_of(benchmark(new="=new"), measured({"=new": (39.0, 40.0, 41.0)}))
    write_csv(tmp_path / "t.csv", rows)
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert first["row"] == "'=new"  # no formula for a spreadsheet
    assert (first["psnr_mu_mean"], first["psnr_mu_spread"], first["steps"]) == (
        "40.0",
        "1.0",
        "100",
    )
    assert (first["runs"], first["ause_mean"]) == ("3", "")
    assert (second["runs"], second["seeds"], second["psnr_mu_mean"]) == ("0", "3", "")


def test_a_plan_says_which_metrics_its_table_shows(benchmark):
    made = benchmark(metrics='["ause", "psnr_l"]')
    assert table_columns(made)[2:4] == ("AUSE", "PSNR-l")
    found = measured({"new": (0.25, 0.75, 0.5)}, metric="ause")
    assert table_cells(made, figures_of(made, found))[0][2:4] == ("0.5000 ± 0.2500", "30.00 ± 0.00")
    assert set(METRIC_WORDS) == set(METRICS)


def test_runs_of_programs_that_learn_differently_are_never_mixed_in_silence(benchmark, tmp_path):
    made = benchmark()
    found = measured({"new": (39.0, 40.0, 41.0), "old": (38.0, 38.0, 38.0)})
    assert mixed_programs(figures_of(made, found)) == ""
    other = {"version": "9.9", "learning": "ab12"}
    found["new", 2] = replace(found["new", 2], program=other)
    rows = figures_of(made, found)
    words = mixed_programs(rows)
    assert "1 run by version 9.9 with learning ab12 (new)" in words
    assert "5 runs by a version that was not written down (new, old)" in words
    (verdict,) = verdicts_of(made, rows)
    assert "not by one and the same program" in verdict.sentence
    write_markdown(tmp_path / "t.md", made, rows, [verdict])
    assert words in (tmp_path / "t.md").read_text(encoding="utf-8")
    write_latex(tmp_path / "t.tex", made, rows)
    assert (tmp_path / "t.tex").read_text(encoding="utf-8").startswith(f"% {words}\n")
    write_csv(tmp_path / "t.csv", rows)
    assert "version 9.9 with learning ab12" in (tmp_path / "t.csv").read_text(encoding="utf-8-sig")
    same = {key: replace(result, program=other) for key, result in found.items()}
    assert mixed_programs(figures_of(made, same)) == ""


def test_what_a_row_says_of_its_runs_stands_below_the_table_once(benchmark, tmp_path):
    made = benchmark()
    found = measured({"new": (39.0, 40.0, 41.0), "old": (37.0, 37.5, 38.3)})
    note = "an epoch has 66 steps, not 90"
    found = {
        key: replace(each, note=note if key[0] == "old" else "") for key, each in found.items()
    }
    rows = figures_of(made, found)
    assert notes_of(rows) == (f"old: {note}.",)
    assert [row.as_json()["notes"] for row in rows] == [[], [note]]
    write_markdown(tmp_path / "t.md", made, rows, verdicts_of(made, rows))
    assert (tmp_path / "t.md").read_text(encoding="utf-8").count(f"- old: {note}.") == 1
