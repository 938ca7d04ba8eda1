"""The version of the function, stored in every record and alert to explain decisions later."""

RELEASE = "0.1.0"
