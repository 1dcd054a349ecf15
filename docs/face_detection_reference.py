#!/usr/bin/env python3
"""Shows where two expectations of the face detection example come from: docs/face_detection.md.

usage: build/test-venv/bin/python docs/face_detection_reference.py   (from the repository's root)

Runs CenterFace on the astronaut by ONNX Runtime and by onnx's ReferenceEvaluator, the latter also
with the `momentum` of every BatchNormalization set to 1, and prints best score and box.
"""

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator
from PIL import Image

SIZE = 512


def load_model(path):
    """The model at 512x512; it declares other extents."""
    model = onnx.load(path)
    for value in list(model.graph.input) + list(model.graph.output):
        dims = value.type.tensor_type.shape.dim
        if value.name == "input.1":
            extents = [1, 3, SIZE, SIZE]
        elif value.name in ("537", "538", "539", "540"):
            extents = [1, None, SIZE // 4, SIZE // 4]
        else:
            continue
        for dim, extent in zip(dims, extents):
            if extent is not None:
                dim.dim_value = extent
    return model


def set_momentum(model, value):
    for node in model.graph.node:
        if node.op_type == "BatchNormalization":
            for attribute in node.attribute:
                if attribute.name == "momentum":
                    attribute.f = value


def best_face(outputs):
    score, size, offset = (np.asarray(output)[0] for output in outputs[:3])
    y, x = np.unravel_index(score[0].argmax(), score[0].shape)
    height, width = np.exp(size[:, y, x]) * 4
    center_y, center_x = (np.array([y, x]) + 0.5 + offset[:, y, x]) * 4
    box = (center_x - width / 2, center_y - height / 2, center_x + width / 2, center_y + height / 2)
    return f"{score[0, y, x]:.4f}  " + ", ".join(f"{edge:.1f}" for edge in box)


def main():
    model = load_model("build/models/centerface.onnx")
    image = np.asarray(Image.open("build/models/astronaut.png").convert("RGB"), np.float32)
    feeds = {"input.1": np.ascontiguousarray(image.transpose(2, 0, 1)[None])}
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    print("ONNX Runtime                         ", best_face(session.run(None, feeds)))
    print("ReferenceEvaluator                   ",
          best_face(ReferenceEvaluator(model).run(None, feeds)))
    set_momentum(model, 1.0)
    print("ReferenceEvaluator, momentum 1       ",
          best_face(ReferenceEvaluator(model).run(None, feeds)))


if __name__ == "__main__":
    main()
