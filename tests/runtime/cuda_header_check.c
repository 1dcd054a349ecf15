/* What the runtime declares of CUDA against cuda.h: it need only compile. */
#include <cuda.h>

#include "cuda_driver.h"

#define SAME_VALUE(name, value) _Static_assert((int)(name) == (value), #name);
CUDA_CONSTANTS(SAME_VALUE)

#define SAME_TYPE(name, parameters) CUresult(CUDAAPI *check_##name) parameters = name;
CUDA_FUNCTIONS(SAME_TYPE)
