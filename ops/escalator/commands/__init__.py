"""The commands of `escalator`, one module each."""
