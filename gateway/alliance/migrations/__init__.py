"""How the alliance's tables came to be what they are."""

from __future__ import annotations

from pathlib import Path

import gateway.alliance.leases
import gateway.alliance.settings_book
import gateway.checkout.tables
import gateway.directory.tables
import gateway.membership.tables
import gateway.merging.tables  # noqa: F401  (Each room adds its tables.)
from gateway.alliance.tables import METADATA
from kernel.database import History

HISTORY = History("alliance", METADATA, Path(__file__).parent / "versions")
