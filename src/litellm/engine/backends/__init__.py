"""How each kind of backend (providers/backend.py) performs a call: an upstream over HTTP, a script, a handler of the user's
own. One module for each."""
