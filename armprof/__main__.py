"""`python -m armprof` is `armprof`."""

import sys

from armprof.cli import main

sys.exit(main())
