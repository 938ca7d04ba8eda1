"""The data model: ids, detections, message details, severity, outcomes and records. Imports nothing of ours."""
