"""Start the command line."""

import os

# Many small matrices: one thread is fastest, does not fight with other programs, and sums in one order.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from mse.cli import main  # noqa: E402 - numpy reads the variables above when it is first imported

raise SystemExit(main())
