"""One file for each thing that clients can ask for."""
