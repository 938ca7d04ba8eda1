"""Records as rows, timelines and statistics. These modules are pure: no network, no clock, no files."""
