"""Runs every benchmark, or those named: `python -m benchmarks database`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

import benchmarks

if __name__ == "__main__":
    found = {
        module.name for module in pkgutil.iter_modules([str(Path(benchmarks.__file__).parent)])
    }
    asked = [each for each in sys.argv[1:] if not each.startswith("--")]
    for name in asked or sorted(found - {"__main__"}):
        print(f"== {name}")
        importlib.import_module(f"benchmarks.{name}").main()
