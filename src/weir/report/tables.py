"""The tables of a document as CSV."""

import csv
import io

from weir.report.document import Document, Table, walk


def to_csv(document: Document) -> str:
    """Writes the first table of a document as CSV, with the status of each number beside it.

    A column with statuses is followed by one named "<column> status".
    """
    table = next((block for block in walk(document) if isinstance(block, Table)), None)
    if table is None:
        return ""
    marked = [
        any(row[i].status is not None for row in table.full_rows)
        for i in range(len(table.full_columns))
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heading: list[str] = []
    for column, has_status in zip(table.full_columns, marked, strict=True):
        heading += [column.heading, f"{column.heading} status"] if has_status else [column.heading]
    writer.writerow(heading)
    for row in table.full_rows:
        values: list[str] = []
        for cell, has_status in zip(row, marked, strict=True):
            status = cell.status.value if cell.status is not None else ""
            values += [cell.text, status] if has_status else [cell.text]
        writer.writerow(values)
    return out.getvalue()
