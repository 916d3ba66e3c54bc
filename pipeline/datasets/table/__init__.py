"""Your own pictures: a table and a folder."""
