"""Proof with real processes on a real database: workers at once, killed workers, a mail server that fails."""
