"""Tests of `escalator doctor`, `test-alert` and `replay` against the local stack."""
