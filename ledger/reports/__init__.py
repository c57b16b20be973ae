"""What leaves the books whole: exports of periods, balances of another instant, liabilities."""
