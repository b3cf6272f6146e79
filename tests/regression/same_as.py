"""Proves that nothing moved: does the same with an older revision and with this tree.

    .venv/bin/python tests/regression/same_as.py REVISION                # everything but pictures
    … same_as.py REVISION train look                                     # some checks only
    … same_as.py REVISION --keep DIR       # the old side is done once and kept in DIR
    … same_as.py REVISION --screenshots --pairs DIR                      # the window as well
    … same_as.py REVISION --tree DIR                                     # another new tree
    … same_as.py --list

Both trees are driven through the command line alone, by the Python that runs this script, each
with PYTHONPATH naming its tree, one thread, and a home of its own. Every answer (exit status,
stdout, stderr) and every file on disk is compared, to the last bit of every loss, weight, label
and pixel. What may differ is listed in plain.py: paths, times, durations, memory, speed, names of
runs and random names of actions. Exit status: 0 all is the same, 1 something differs, 2 bad usage.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import actions  # noqa: E402
import comparing  # noqa: E402
from plain import Plainer  # noqa: E402
from sides import Side  # noqa: E402

PICTURES = "screenshots"
_MARK = "done.json"


def main() -> int:
    """Run the checks that were asked for; the answer is the exit status."""
    asked = _asked()
    if asked.list:
        print("\n".join(f"{name:10} {act.__doc__}" for name, act in actions.CHECKS.items()))
        return 0
    if asked.keep is not None:
        return _run(asked, asked.keep.resolve())
    with tempfile.TemporaryDirectory(prefix="same-as-") as folder:
        return _run(asked, Path(folder).resolve())


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("revision", nargs="?", help="what the tree is compared with")
    parser.add_argument("checks", nargs="*", help="only these; see --list")
    parser.add_argument("--tree", type=Path, default=HERE.parents[1], help="the new tree")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep outputs, reuse the old ones")
    parser.add_argument("--screenshots", action="store_true", help="compare the window as well")
    parser.add_argument("--pairs", type=Path, metavar="DIR", help="pictures that differ go here")
    parser.add_argument("--most", type=int, default=12, help="differences told of each check")
    parser.add_argument("--list", action="store_true", help="say which checks there are")
    asked = parser.parse_args()
    if asked.revision is None and not asked.list:
        parser.error("which REVISION?")
    unknown = set(asked.checks) - set(actions.CHECKS)
    if unknown:
        parser.error(f"no such check: {', '.join(sorted(unknown))}; see --list")
    return asked


def _run(asked: argparse.Namespace, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="same-as-tree-") as temporary:
        tree = asked.tree.resolve()
        clone, commit = _clone(tree, asked.revision, Path(temporary).resolve() / "old")
        shared = folder / "shared"
        old = Side("old", clone, folder / "old", shared)
        new = Side("new", tree, folder / "new", shared)
        for side in (old, new):
            (side.folder / "home").mkdir(parents=True, exist_ok=True)
            side.check_tree()
        print(f"old: {commit}   new: {tree}   outputs: {folder}", flush=True)
        _once(old, shared, _stamp(commit, "prepare"), lambda: actions.prepare(old))
        wanted = asked.checks or [] if asked.checks or asked.screenshots else actions.CHECKS
        told = [_check(name, old, new, commit=commit, most=asked.most) for name in wanted]
        if asked.screenshots:
            told.append(_check_pictures(old, new, commit=commit, asked=asked))
        _say_uncovered(new, wanted)
    print("all the same" if all(told) else "something DIFFERS")
    return 0 if all(told) else 1


def _clone(tree: Path, revision: str, target: Path) -> tuple[Path, str]:
    """A clone of a revision of the tree's repository, and the name of its commit."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], capture_output=True, text=True, check=False, cwd=tree
        )
        if done.returncode != 0:
            sys.exit(f"git {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    commit = git("rev-parse", "--verify", f"{revision}^{{commit}}")
    git("clone", "--quiet", "--shared", "--no-checkout", str(tree), str(target))
    git("-C", str(target), "checkout", "--quiet", commit)
    return target, commit


def _stamp(commit: str, name: str) -> dict[str, str]:
    """What kept outputs were made from; anything else makes them anew."""
    recipe = b"".join((HERE / part).read_bytes() for part in ("actions.py", "sides.py"))
    made_by = f"{sys.executable} {sys.version}"
    return {
        "commit": commit,
        "check": name,
        "recipe": hashlib.sha256(recipe).hexdigest(),
        "by": made_by,
    }


def _once(side: Side, folder: Path, stamp: dict[str, str], act: Callable[[], object]) -> None:
    """Act unless the folder holds what the same action left there before."""
    mark = side.folder / f"{folder.name}.{_MARK}"
    if mark.is_file() and json.loads(mark.read_text())["stamp"] == stamp:
        return
    mark.unlink(missing_ok=True)
    if folder.is_dir():
        shutil.rmtree(folder)
    act()
    # The clone lies elsewhere the next time; its path is needed to make old answers plain.
    mark.write_text(json.dumps({"stamp": stamp, "tree": str(side.tree)}))


def _both(
    name: str, sides: Iterable[Side], act: Callable[[Side, Path], object], commit: str
) -> None:
    """Act on both sides at once; what the old one did before is not done again."""

    def one(side: Side) -> None:
        folder = side.folder / name
        if side.name == "new":
            (side.folder / f"{name}.{_MARK}").unlink(missing_ok=True)

        def fresh() -> None:
            folder.mkdir(parents=True)
            act(side, folder)

        _once(side, folder, _stamp(commit, name), fresh)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, sides))


def _plain(side: Side, name: str) -> Plainer:
    told = json.loads((side.folder / f"{name}.{_MARK}").read_text())
    return Plainer(side.folder / name, Path(told["tree"]))


def _check(name: str, old: Side, new: Side, *, commit: str, most: int) -> bool:
    """Run one check and say how it went; the answer is whether all was the same."""
    begun = time.monotonic()
    _both(name, (old, new), actions.CHECKS[name], commit)
    before, after = ((side.folder / name, _plain(side, name)) for side in (old, new))
    found = list(comparing.differences(before, after, files=name not in actions.ANSWERS_ONLY))
    _say(name, found, most=most, seconds=time.monotonic() - begun)
    return not found


def _check_pictures(old: Side, new: Side, *, commit: str, asked: argparse.Namespace) -> bool:
    """Compare the screenshots; figures of speed and time on them do differ."""
    import pictures

    begun = time.monotonic()
    for side in (old, new):  # one after the other: both would wait for the same two cores
        _both(PICTURES, (side,), pictures.take, commit)
    before, after = (side.folder / PICTURES for side in (old, new))
    found = list(pictures.differences(before, after, beside=asked.pairs))
    _say(PICTURES, found, most=99, seconds=time.monotonic() - begun)
    return not found


def _say(name: str, found: Sequence[str], *, most: int, seconds: float) -> None:
    verdict = f"DIFFERS in {len(found)}" if found else "same"
    print(f"{name:12} {verdict} ({seconds:.0f} s)", flush=True)
    for sentence in found[:most]:
        print(f"  DIFFERS: {sentence}")
    if len(found) > most:
        print(f"  … and {len(found) - most} more; see --most")


def _say_uncovered(side: Side, wanted: Iterable[str]) -> None:
    """Name the verbs with --json that no check asks, once every check ran."""
    if set(wanted) != set(actions.CHECKS):
        return
    told = "".join(p.read_text() for p in side.folder.glob(f"*/{comparing.ANSWERS}"))
    asked = [json.loads(line)["what"] for line in told.splitlines()]
    asked += [json.loads(x)["what"] for x in (side.shared / comparing.ANSWERS).open()]
    silent = [
        verb
        for verb in actions.verbs_of(side)
        if verb not in ("runs", "presets")
        and not any(w.startswith(f"{verb} ") and "--help" not in w for w in asked)
    ]
    if silent:
        print(f"not asked by any check: {', '.join(silent)}")


if __name__ == "__main__":
    sys.exit(main())
