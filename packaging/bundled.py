"""Where the desktop bundle begins: the command `smarthdr-studio`."""

import multiprocessing
import sys

from smarthdr_studio.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()  # what `benchmark` starts beside itself is this program again
    sys.exit(main())
