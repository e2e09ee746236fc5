#include "armprof.h"
#include "kernels.h"
