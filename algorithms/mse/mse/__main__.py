"""Start the command line."""

from mse.cli import main

raise SystemExit(main())
