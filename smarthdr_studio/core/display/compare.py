"""What can be subtracted from what, and the sentence where it cannot."""

from smarthdr_studio.core.display.kinds import PICTURES, UNITS, has_picture
from smarthdr_studio.core.display.layers import DisplaySettings, Layer, Material
from smarthdr_studio.core.display.sources import Sources
from smarthdr_studio.core.display.words import why_empty
from smarthdr_studio.core.radiance import Floats


def title_of(layer: Layer, partner: Layer) -> str:
    """What the view of a difference is called."""
    return f"|{layer} − {partner}|"


def difference_of(
    layer: Layer, partner: Layer, material: Material, settings: DisplaySettings, sources: Sources
) -> Floats | str:
    """How two pictures or two maps of one unit differ, H×W, or the sentence why they do not."""
    pair = layer, partner
    if not (layer in PICTURES and partner in PICTURES) and not _one_unit(layer, partner):
        return (
            f"A difference needs two pictures or two maps of one unit; "
            f"{layer} and {partner} are neither"
        )
    for one in pair:
        if one in PICTURES and not has_picture(one, material):
            return one.why_empty
    found = sources.difference(layer, partner, material, against=settings.error_against)
    if found is not None:
        return found
    for one in pair:
        if one in UNITS and sources.map(one, material, against=settings.error_against) is None:
            return why_empty(one, material, settings)
    return f"{layer} and {partner} are of different sizes"


def _one_unit(layer: Layer, partner: Layer) -> bool:
    return layer in UNITS and UNITS[layer] == UNITS.get(partner)
