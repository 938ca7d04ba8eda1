"""Read records from the table: queries, time ranges, cursors, and items parsed into dataclasses."""
