"""SmartHDR Studio: see, check and promote HDR pseudo-labels, and train their teacher."""

__version__ = "0.1.0"
