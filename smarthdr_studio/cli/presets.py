"""The verb `presets`: which plans there are, and every setting of one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from smarthdr_studio.cli.output import Json, print_json, print_table, say
from smarthdr_studio.core.errors import PlanError


def list_(*, as_json: Json = False) -> None:
    """List the presets that ship with the program, then yours."""
    from smarthdr_studio.core.presets import about_preset, own_presets_folder, presets

    told: list[dict[str, Any]] = []
    for name in presets():
        try:
            about = about_preset(name)
        except PlanError as error:
            told.append({"name": name, "description": str(error), "base": "", "own": True})
        else:
            told.append(
                {
                    "name": about.name,
                    "description": about.description,
                    "base": about.base,
                    "own": about.own,
                }
            )
    if as_json:
        print_json({"presets": told, "own": str(own_presets_folder())})
        return
    rows = [
        (each["name"], "yours" if each["own"] else "", each["base"], each["description"])
        for each in told
    ]
    print_table(("preset", "", "over", "what it is for"), rows, title="Presets", words=4)
    say(f"Yours lie in {own_presets_folder()}")


def show(
    name: Annotated[str, typer.Argument(metavar="PRESET", help="A name, or a .toml file.")],
    *,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only what differs from its base.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show every setting of a preset, and what each is for."""
    from smarthdr_studio.core.plan import load_preset
    from smarthdr_studio.core.plan_field import as_text
    from smarthdr_studio.core.plan_schema import flat, plan_fields
    from smarthdr_studio.core.presets import about_preset

    about, values = about_preset(name), flat(load_preset(name))
    base = flat(load_preset(_beside(name, about.base))) if about.base else {}
    fields = [
        field
        for field in plan_fields()
        if not changed or (field.key != "preset" and base.get(field.key) != values[field.key])
    ]
    if as_json:
        settings = {field.key: values[field.key] for field in fields}
        print_json({"preset": name, "base": about.base, "settings": settings})
        return
    rows = [
        (field.key, as_text(values[field.key]), field.unit, field.description) for field in fields
    ]
    over = f", over {about.base}" if about.base else ""
    title = f"{name}{over}: {about.description}".rstrip(": ")
    print_table(("setting", "value", "unit", "what it does"), rows, title=title, words=4)


def _beside(name: str, base: str) -> str:
    """The base of a file as that file means it."""
    return str(Path(name).parent / base) if base.endswith(".toml") else base
