"""Networks that are told an attribute: where a picture shows it, and what is there."""
