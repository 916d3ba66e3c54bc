"""The built-in world: drawn garments in two styles and two views."""
