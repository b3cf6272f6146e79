"""What holds for every test: none fails because a machine is slow, and none takes all its cores."""

import os

# Before numpy, OpenCV or torch is imported: each of the processes that test has one core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
