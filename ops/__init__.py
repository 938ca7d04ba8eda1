"""The operator's side.

`escalator` is the command line (`ops/bin/escalator`). `local` is the whole path on one machine: the stack, the
function, and what comes out. `ballast.py` is what a build leaves out.
"""
