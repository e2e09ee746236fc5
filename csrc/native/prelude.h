#include "armprof.h"
#include "kernels.h"
#include "stage_counts.h"
