"""From a request to its answer: what was sent becomes a Call, and what came back becomes bytes."""
