"""What would have to be decided so that scenes become again what they were at an earlier moment."""

from dataclasses import replace

from smarthdr_studio.core.journal import JournalEntry, Ledger, SceneState, Status


def differing(now: Ledger, then: Ledger) -> tuple[str, ...]:
    """The scenes from which training would learn otherwise now than then, sorted.

    Notes and tags do not count, nor what an excluded scene was before it was excluded.
    """
    known = now.scenes.keys() & then.scenes.keys()
    return tuple(sorted(n for n in known if _counts(now.scenes[n]) != _counts(then.scenes[n])))


def returning(draft: JournalEntry, now: SceneState, then: SceneState) -> JournalEntry:
    """The entry with which a scene becomes again what it was then."""
    return replace(
        draft,
        before=now.status,
        after=then.status,
        label=then.label,
        whole=then.whole,
        checksum=then.checksum,
        truth=then.truth,
        person=then.person,
    )


def _counts(state: SceneState) -> tuple[object, ...]:
    if state.status is Status.EXCLUDED:
        return (state.status,)
    return state.status, state.label, state.whole, state.truth, state.person
