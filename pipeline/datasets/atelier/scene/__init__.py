"""Where a picture is taken, and how."""
