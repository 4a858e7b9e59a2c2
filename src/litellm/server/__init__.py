"""An HTTP/1.1 server that knows no model: it serves an Application."""
