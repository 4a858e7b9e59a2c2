"""How to pick one deployment of a group: one file each, pure functions of candidates and chance."""
