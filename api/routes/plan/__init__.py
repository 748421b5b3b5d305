"""Routes of the plan: what would charge, what comes, what a measure changed."""
