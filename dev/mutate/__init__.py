"""``make mutate``: small faults are planted one by one, and the tests that should notice are run."""
