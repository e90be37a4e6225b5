"""Signet against other S/MIME programs, both ways; the results are docs/interoperability.md."""
