"""Steps of the package build."""
