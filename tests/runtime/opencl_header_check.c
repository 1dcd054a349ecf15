/* What the runtime declares of OpenCL against cl.h: it need only compile. */
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include "opencl_driver.h"

#define SAME_VALUE(name, value) _Static_assert((name) == (value), #name);
OPENCL_CONSTANTS(SAME_VALUE)

#define SAME_TYPE(result, name, parameters) result(CL_API_CALL *check_##name) parameters = name;
OPENCL_FUNCTIONS(SAME_TYPE)
