"""FINCH and the groups it is applied to."""
