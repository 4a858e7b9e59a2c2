"""Floor 5: many deployments behind one name."""
