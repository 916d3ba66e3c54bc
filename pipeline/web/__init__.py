"""The page that searches an index, and its JSON API."""
