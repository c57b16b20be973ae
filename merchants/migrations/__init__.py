"""How the tables of a merchants' database came to be what they are."""

from __future__ import annotations

from pathlib import Path

from kernel.database import History
from merchants.tables import metadata

HISTORY = History("merchants", metadata, Path(__file__).parent / "versions")
