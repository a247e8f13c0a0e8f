import csv
import io
from dataclasses import replace

from weir.core.provenance import Status
from weir.report.document import Cell, Document, Paragraph, Section, Table
from weir.report.tables import to_csv


def read(text):
    return list(csv.reader(io.StringIO(text)))


def test_the_first_table_is_written_with_statuses_in_a_column_of_their_own(sample):
    rows = read(to_csv(sample))
    assert rows == [
        ["Quantity", "Rate (TFLOP/s)", "Rate (TFLOP/s) status"],
        ["FP16 | dense", "148", ""],
        ["FP8", "296", "recalled"],
    ]


def test_only_the_first_table_is_written():
    tables = (Table("one", ("a",), (("1",),)), Table("two", ("b",), (("2",),)))
    assert read(to_csv(Document("t", sections=(Section("s", tables),)))) == [["a"], ["1"]]


def test_commas_quotes_and_line_breaks_survive():
    cell = 'a, "b"\nc'
    table = Table("t", ("x", "y"), ((cell, Cell("2", status=Status.DERIVED)),))
    rows = read(to_csv(Document("t", sections=(Section("s", (table,)),))))
    assert rows == [["x", "y", "y status"], [cell, "2", "derived"]]


def test_a_document_without_a_table_is_empty(sample):
    assert to_csv(replace(sample, sections=(Section("s", (Paragraph("p"),)),))) == ""
