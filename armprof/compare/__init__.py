"""Comparison: what two builds take, measured side by side or read from two run files, and whether that is a change."""

from armprof.compare.paired import Comparison as Comparison
from armprof.compare.paired import ab as ab
from armprof.compare.paired import ab_commands as ab_commands
from armprof.compare.paired import ab_symbols as ab_symbols
from armprof.compare.runs import PerformanceRegression as PerformanceRegression
from armprof.compare.runs import RegressionAnalysis as RegressionAnalysis
from armprof.compare.runs import detect_regressions as detect_regressions
from armprof.compare.verdict import Verdict as Verdict
