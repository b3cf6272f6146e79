"""A run whose folder cannot be written says so."""

import errno
import os

import pytest

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.learning.trainer import train


@pytest.mark.parametrize("refusing", ["run_setup.replacing", "trainer.RunLog"])
def test_a_run_that_cannot_be_written_down_is_one_sentence(
    project, make_plan, monkeypatch, refusing
):
    def refuse(path, **_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(f"smarthdr_studio.learning.{refusing}", refuse)
    with pytest.raises(ProjectError, match=r"runs.*Read-only file system.*; .*allow") as error:
        list(train(make_plan(), project, resume=None))
    assert len(str(error.value).splitlines()) == 1
