"""What merchants leave as a deposit, and whether what they owe lets them issue points."""
