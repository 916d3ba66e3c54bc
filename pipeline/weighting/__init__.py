"""Which target picture supports which source item."""
