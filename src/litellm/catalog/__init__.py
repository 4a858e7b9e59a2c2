"""What is known about models: limits, abilities and prices."""
