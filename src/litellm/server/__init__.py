"""An HTTP/1.1 server that knows no model: whatever answers is given to it as an Application."""
