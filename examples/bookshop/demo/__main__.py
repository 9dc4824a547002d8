"""Run the demo: `python examples/bookshop/demo [--keep] [--report FILE]`, or `make demo`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # the folder is run, not installed
    from examples.bookshop.demo.cli import main

    main()
