"""Latency budgets: what components should reach and may take, what is left, and how that is divided."""

from armprof.budget.assess import Action as Action
from armprof.budget.assess import Assessment as Assessment
from armprof.budget.assess import assess as assess
from armprof.budget.headroom import HeadroomAllocation as HeadroomAllocation
from armprof.budget.headroom import Validation as Validation
from armprof.budget.headroom import allocate as allocate
from armprof.budget.headroom import validate as validate
from armprof.budget.plan import Plan as Plan
from armprof.budget.plan import defaults as defaults
from armprof.budget.plan import find as find
from armprof.budget.plan import parse as parse
from armprof.budget.plan import read as read
