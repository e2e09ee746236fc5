#include "armprof.h"
#include "kernels.h"
#include "sampler.h"
#include "stage_counts.h"
