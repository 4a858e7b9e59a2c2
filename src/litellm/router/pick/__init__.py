"""Measures of strategies, one file each: pure functions of a deployment's numbers and the time. The lowest is picked."""
