"""`python -m agent` is `visavis`."""

from .cli import main

raise SystemExit(main())
