"""Private real servers for tests: each listens on 127.0.0.1 and lives in a temporary directory.

Every starter is a context manager, raises `ServerMissing` when what it needs is not installed,
and stops only what it started. `tests/servers/fixtures.py` makes session fixtures of them.
"""
