"""Which release of the function decided: on every record and every alert, so that a decision can be explained later."""

RELEASE = "0.1.0"
