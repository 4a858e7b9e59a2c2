"""How payloads are wrapped in a stream's bytes. What a payload means is for a dialect's rules to say."""
