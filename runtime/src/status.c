#include "sepconv/sepconv.h"

const char *sepconv_status_message(sepconv_status_t status) {
    switch (status) {
        case SEPCONV_OK:
            return "Success.";
        case SEPCONV_INVALID_ARGUMENT:
            return "A pointer is null or misaligned, or an index or an option is out of range.";
        case SEPCONV_ABI_MISMATCH:
            return "The model and the sepconv runtime were built by different versions of sepconv.";
        case SEPCONV_UNSUPPORTED_ISA:
            return "The model has no variant that this CPU runs, or SEPCONV_ISA, SEPCONV_DEVICE or "
                   "options.device ask for one that is not in the library or does not run on this "
                   "CPU.";
        case SEPCONV_OUT_OF_MEMORY:
            return "The memory of the context could not be allocated on the host or on the device.";
        case SEPCONV_ARENA_TOO_SMALL:
            return "The caller's arena has fewer bytes than sepconv_model_arena_bytes() asks for.";
        case SEPCONV_THREAD_ERROR:
            return "A thread of the pool could not be started.";
        case SEPCONV_CALLBACK_ERROR:
            return "The caller's parallel_for failed, or did not call its body once for every "
                   "index with a worker in range.";
        case SEPCONV_KERNEL_ERROR:
            return "A kernel failed or asked for more scratch than planned: a defect of sepconv.";
        case SEPCONV_NO_DEVICE:
            return "The model runs on a GPU, but no driver (libcuda.so.1 for CUDA, libOpenCL.so.1 "
                   "for OpenCL) could be loaded, or it found no device.";
        case SEPCONV_DEVICE_TOO_OLD:
            return "The GPU or its driver is older than the model was compiled for, or its OpenCL "
                   "has no shared virtual memory: update the driver, or compile the model for an "
                   "older capability.";
        case SEPCONV_DEVICE_ERROR:
            return "The driver of the GPU reported an error, or a child of fork used a context of "
                   "its "
                   "parent's.";
        case SEPCONV_CONTEXT_IN_USE:
            return "Another call is running in this context.";
    }
    return "Unknown sepconv status.";
}
