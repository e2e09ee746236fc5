"""Sums over the columns of a table, one after the other: in the order of memory, and across it."""

import numpy

import armprof

BY_ROW = numpy.ones((2000, 1000))  # a row lies in one piece, as C has it
BY_COLUMN = numpy.asfortranarray(BY_ROW)  # a column does


@armprof.component("across", operation="table")
def across():
    """Each column is spread over all of the table."""
    return [BY_ROW[:, column].sum() for column in range(0, 1000, 10)]


@armprof.component("along", operation="table")
def along():
    """Each column is in one piece."""
    return [BY_COLUMN[:, column].sum() for column in range(0, 1000, 10)]
