"""Named pieces of work, and what one operation of each takes: times and counts, as a Run.

The C kernels are the components so far. Their names are known without the native module; running them is
what needs it.
"""

from armprof.components.kernels import KERNELS as KERNELS
from armprof.components.kernels import Kernel as Kernel
from armprof.components.runner import Progress as Progress
from armprof.components.runner import bench as bench
