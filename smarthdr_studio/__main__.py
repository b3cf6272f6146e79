"""`python -m smarthdr_studio` is the command `smarthdr-studio`."""

import sys

from smarthdr_studio.cli import main

if __name__ == "__main__":
    sys.exit(main())
