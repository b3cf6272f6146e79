"""An option that would do nothing is refused in one sentence, before anything is begun."""

import pytest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("accept", "PROJECT", "--dry-run", "--same"), "--dry-run: --same does nothing"),
        (("new", "DATASET", "--dry-run", "--align"), "--dry-run: --align does nothing"),
        (("import-split", "PROJECT", "LIST", "--dry-run", "--note", "why"), "--note does nothing"),
        (("label", "PROJECT", "--scenes", "003", "--split", "test"), "--split does nothing"),
        (("label", "PROJECT", "--scenes", "003", "--split", "unlabelled"), "--split does nothing"),
        (("train", "PROJECT", "--estimate", "--print-command"), "--estimate does nothing"),
        (("train", "PROJECT", "--from", "starter", "--with-weights"), "--with-weights: does"),
        (("truth", "PROJECT", "001", "--check", "--fix"), "--check: --fix does nothing"),
        (("truth", "PROJECT", "001", "--check", "--force", "--note", "x"), "--force and --note do"),
        (("truth", "PROJECT", "001", "--fix"), "--fix: for a FILE alone"),
        (("truth", "PROJECT", "001", "--evs", "0,2"), "--evs: for a FILE alone"),
        (("merge", "FRAME", "FRAME", "-o", "OUT.exr", "--device", "cpu"), "--device: is for"),
    ],
)
def test_what_would_do_nothing_is_refused(run, project, dataset, tmp_path, words, said):
    names = tmp_path / "labelled.txt"
    names.write_text("001\n")
    frame = next(dataset.rglob("*.tif"))
    places = {"PROJECT": project, "DATASET": dataset, "LIST": names, "FRAME": frame}
    before = sorted(tmp_path.rglob("*"))
    answer = run(*(places.get(word, word) for word in words))
    assert answer.status == 2, answer.err
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "idle", [("--jobs", 2), ("--threads", 1), ("--cluster", "local"), ("--keep-runs",)]
)
def test_a_table_alone_runs_nothing_and_takes_no_word_on_how(run, dataset, tmp_path, idle):
    words = ("benchmark", "methods", dataset, "--into", tmp_path / "b", "--table", *idle)
    answer = run(*words)
    assert answer.status == 2
    assert f"--table: {idle[0]} does nothing" in answer.err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("option", "name"),
    [("--csv", "t.md"), ("--markdown", "t"), ("--latex", "t.txt"), ("--figure", "t.png")],
)
def test_a_file_of_a_benchmark_is_named_as_what_it_is(run, dataset, tmp_path, option, name):
    words = ("benchmark", "methods", dataset, "--into", tmp_path / "b", option, tmp_path / name)
    answer = run(*words)
    assert answer.status == 2
    assert str(tmp_path / name) in answer.err
    assert not (tmp_path / "b").exists()
