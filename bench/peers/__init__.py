"""The engines that bench/models.py compares, one module each.

A module defines `Peer`, a subclass of `model_suite.contender.Contender`.
"""

import dataclasses
import importlib

import numpy as np

from model_suite.contender import Contender, Model, Setup

OURS = "sepconv"
NAMES = (OURS, "onnxruntime", "openvino", "ncnn", "mnn", "litert", "opencv")


def peer(name: str) -> type[Contender]:
    """The contender's class; its engine is imported here and not before."""
    return importlib.import_module(f"peers.{name}_peer").Peer


def reference(model: Model, image: np.ndarray) -> list[np.ndarray]:
    """The outputs that all are compared with."""
    return importlib.import_module("peers.onnxruntime_peer").reference(model, image)


def with_isa(setup: Setup, model: Model) -> Setup:
    """The setup with the ISA that was asked for, or with the best, if this CPU runs it."""
    ours = importlib.import_module(f"peers.{OURS}_peer")
    isas = ours.available_isas(ours.Peer.prepare(model, setup), model.name)
    if setup.isa and setup.isa not in isas:
        raise SystemExit(f"error: --isa: expected one of {', '.join(isas)}, got '{setup.isa}'")
    return dataclasses.replace(setup, isa=setup.isa or isas[-1])
