"""Tables in Markdown that also read well as plain text."""


def markdown_table(cells: list[list[str]]) -> str:
    """Rows of texts, the header first; the first column is flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in cells]
    lines.insert(1, rule)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
