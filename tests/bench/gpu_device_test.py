"""bench/peers/sepconv_device.py on the stub driver of tests/runtime: compiled, and run as it is timed.

usage: gpu_device_test.py TOOL FOLDER
"""

import ctypes
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from model_suite import cuda_device  # noqa: E402
from model_suite.gpu_blocks import GpuBlock  # noqa: E402
from peers import sepconv_device  # noqa: E402

import cuda_launches  # noqa: E402  Of tests/models, whose path model_suite has added.

CAPABILITY = 80
INPUT, OUTPUT = 0x10000, 0x20000  # Never read: the stub computes nothing.


def main() -> int:
    tool, folder = (pathlib.Path(argument) for argument in sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    stub = ctypes.CDLL("libcuda.so.1")
    stub.stub_cuda.restype = ctypes.POINTER(cuda_launches._Driver)
    stub.stub_cuda_reset.restype = None
    stub.stub_cuda_reset()
    driver = stub.stub_cuda().contents
    driver.launch = cuda_launches._LAUNCH(lambda *_: None)
    if cuda_device.missing():
        raise AssertionError(f"the stub has a device: {cuda_device.missing()}")
    block = GpuBlock("small", 9, 9, 24, 40, 3, 2, "relu6", "hard_swish")
    _, files = sepconv_device.write_parameters(block, folder)
    weights, biases = ({name.split(".")[0]: file for name, file in files.items()
                        if name.endswith(kind)} for kind in ("weight", "bias"))
    file = sepconv_device.compile_block(tool, block, weights, biases, folder, CAPABILITY)
    library = sepconv_device.DeviceLibrary(file, block.name, "cuda")
    shapes = [shape for _, shape in library.inputs + library.outputs]
    if shapes != [(1, 9, 9, 24), (1, block.out_height, block.out_width, 40)]:
        raise AssertionError(f"tensors: {shapes}")
    stub.stub_cuda_make_context.restype = ctypes.c_void_p
    context, stream = stub.stub_cuda_make_context(), ctypes.c_void_p()
    stub.cuCtxPushCurrent_v2(ctypes.c_void_p(context))
    if stub.cuStreamCreate(ctypes.byref(stream), 0) != 0:
        raise AssertionError("cuStreamCreate")
    library.open(context, stream.value)
    library.bind([INPUT], [OUTPUT])
    first = driver.call_count
    library.call()
    calls = [(call.function.decode(), call.stream) for call in driver.calls[first:driver.call_count]
             if not call.function.startswith(b"cuCtxP")]
    library.close()
    if calls != [("cuLaunchKernel", stream.value)]:
        raise AssertionError(f"expected one launch on the caller's stream, got {calls}")
    if driver.misuses:
        raise AssertionError(f"{driver.misuses} misuses of the driver")
    return 0


if __name__ == "__main__":
    sys.exit(main())
