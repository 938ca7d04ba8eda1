"""The operator's side. `local` is the whole path on one machine: the stack, the function, and what comes out."""
