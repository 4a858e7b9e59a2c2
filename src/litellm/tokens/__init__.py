"""How many tokens a text, a conversation, a tool or a picture is."""
