"""Pages for people, served from the package: no build step, no other host, a strict content security policy."""
