"""Erase one person's address from the records, and keep what was decided and when."""
