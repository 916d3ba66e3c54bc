"""What is worn and carried, one kind a module."""
