"""The params of the dataset `table` as they stand in its file."""

DEFAULTS = {
    "archives": [],
    "table": "manifest.csv",
    "separator": ",",
    "images": ".",
    "rename": {},
    "constants": {},
    "attributes": [],
    "where": {},
}
