"""Text for people: labels, text that is safe in a terminal, and CSV that is safe in a spreadsheet."""
