"""Tools for operators and developers.

`escalator` is the command line (`ops/bin/escalator`). `local` runs the stack and the function on one machine. `build`
has the steps of the package build.
"""
