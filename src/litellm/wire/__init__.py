"""One module for each foreign format; pure functions that know no socket, clock, environment or key."""
