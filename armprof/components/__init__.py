"""Named pieces of work, and what one operation of each takes: times and counts, as a Run.

They are the C kernels, and what users register: Python callables, functions in shared libraries, commands. The names of the
kernels are known without the native module; running anything is what needs it.
"""

from armprof.components.kernels import KERNELS as KERNELS
from armprof.components.registry import component as component
from armprof.components.runner import Progress as Progress
from armprof.components.runner import bench as bench
from armprof.components.work import Definition as Definition
