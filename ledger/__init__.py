"""Points, coins and settlement money of the alliance, double entry."""
