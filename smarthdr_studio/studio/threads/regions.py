"""Counting inside a region: percentiles of many layers take longer than a frame of the screen."""

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display import Layer, Material
from smarthdr_studio.core.display.sources import layer_values
from smarthdr_studio.core.explanation import Subject
from smarthdr_studio.core.region_report import RegionReport, region_report
from smarthdr_studio.core.regions import Region

_COUNTED = (
    Layer.PSEUDO_LABEL,
    Layer.UNCERTAINTY,
    Layer.GROUND_TRUTH,
    Layer.STUDENT,
    Layer.UNDER,
    Layer.REFERENCE,
    Layer.OVER,
)


def report_on(
    *,
    region: Region,
    subject: Subject,
    material: Material,
    reasons: npt.NDArray[np.uint8] | None,
) -> RegionReport:
    """Figures of every layer that exists, and the explanation."""
    found = {layer.value: layer_values(layer, material) for layer in _COUNTED}
    return region_report(
        region,
        subject=subject,
        layers={name: values for name, values in found.items() if values is not None},
        hdr=material.hdr,
        truth=material.ground_truth,
        reasons=reasons,
    )
