"""What a verb that takes long says where there is no terminal."""

import time

from smarthdr_studio.cli import output


def told(monkeypatch, capsys, *, moments, lines=True):
    """Stderr of a bar that is advanced at these seconds."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with output.progress(lines=lines) as bar:
        task = bar.add_task("drawing scenes", total=4)
        for number, moment in enumerate(moments, start=1):
            now[0] = moment
            if number % 2:
                bar.update(task, completed=number, description=f"scene [{number}]")
            else:
                bar.advance(task)
    return capsys.readouterr().err.splitlines()


def test_a_pipe_hears_a_line_every_few_seconds_of_work(monkeypatch, capsys):
    every = output.LINE_EVERY
    lines = told(monkeypatch, capsys, moments=(every / 2, every, every * 1.5, every * 2))
    assert lines == ["scene [1], 2 of 4", "scene [3], 4 of 4"]


def test_what_counts_in_its_own_words_is_not_counted_twice(monkeypatch, capsys):
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    with output.progress() as bar:
        task = bar.add_task("labelling", total=13)
        monkeypatch.setattr("time.monotonic", lambda: output.LINE_EVERY)
        bar.update(task, completed=1, description="labelling scene 2 of 13")
    assert capsys.readouterr().err == "labelling scene 2 of 13\n"


def test_what_is_done_in_a_moment_is_silent(monkeypatch, capsys):
    assert told(monkeypatch, capsys, moments=(0.1, output.LINE_EVERY * 0.9)) == []


def test_a_verb_with_lines_of_its_own_has_no_others(monkeypatch, capsys):
    assert told(monkeypatch, capsys, moments=(9.0, 99.0), lines=False) == []


def test_a_terminal_has_its_bar_and_no_lines(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as if there were a terminal
    lines = told(monkeypatch, capsys, moments=(9.0, 99.0))
    assert "scene [1], 1 of 4" not in lines


def test_a_bar_tells_the_time_left_that_the_work_itself_estimates(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with output.progress() as bar:
        task = bar.add_task("loss 0.01", total=4)
        bar.update(task, completed=1, seconds_left=83.4)
        assert output._TimeLeft().render(bar.tasks[0]).plain == "0:01:23"
        bar.update(task, seconds_left=None)
        assert output._TimeLeft().render(bar.tasks[0]).plain == "-:--:--"


def test_work_in_one_piece_is_said_to_go_on(monkeypatch, capsys):
    monkeypatch.setattr(output, "LINE_EVERY", 0.05)
    said, patience = "", time.monotonic() + 60
    with output.progress() as bar:
        task = bar.add_task("exporting", total=None)
        bar.update(task, description="translating the graph")
        while "so far" not in said and time.monotonic() < patience:
            time.sleep(0.01)
            said += capsys.readouterr().err
    assert "translating the graph, 0 s so far\n" in said
    capsys.readouterr()
    time.sleep(4 * output.LINE_EVERY)
    assert capsys.readouterr().err == "", "no more once it is done"


def test_a_verb_with_lines_of_its_own_is_not_said_to_go_on(monkeypatch, capsys):
    monkeypatch.setattr(output, "LINE_EVERY", 0.01)
    with output.progress(lines=False) as bar:
        bar.add_task("training", total=None)
        time.sleep(20 * output.LINE_EVERY)
    assert capsys.readouterr().err == ""
