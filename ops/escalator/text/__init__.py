"""Text for people: labels, and sanitizing for terminals and spreadsheets."""
