"""Write results: to the console, to files, with progress."""
