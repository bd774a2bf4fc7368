"""Opening ONNX models; the only importer of onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from .errors import ModelLoadError

Arrays = Mapping[str, npt.NDArray[Any]]
_DIMENSION_WHEN_FREE = 1


class OnnxModel:
    """A loaded network on one CPU thread."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self.inputs: Mapping[str, tuple[int | str | None, ...]] = {i.name: tuple(i.shape) for i in session.get_inputs()}
        self.outputs: tuple[str, ...] = tuple(o.name for o in session.get_outputs())

    def run(self, inputs: Arrays) -> dict[str, npt.NDArray[Any]]:
        """One pass: arrays by input name in, by output name out."""
        return dict(zip(self.outputs, self._session.run(None, dict(inputs)), strict=True))

    def warm_up(self) -> None:
        """One pass over zeros, free dimensions at 1: the first real one is then as quick as the others."""
        types = {i.name: i.type for i in self._session.get_inputs()}
        zeros = {
            name: np.zeros([d if isinstance(d, int) else _DIMENSION_WHEN_FREE for d in shape], _dtype(types[name]))
            for name, shape in self.inputs.items()
        }
        self.run(zeros)


def open_onnx(path: Path) -> OnnxModel:
    """Load a model for one thread: more would fight with the other stages of the call for two cores.

    Raises:
        ModelLoadError: it is missing, broken or too new.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # A waiting pool would burn a core between two frames.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # onnxruntime raises classes of its native module that share no base
        raise ModelLoadError(f"{path.name} cannot be opened ({exc}); fetch or build it again") from exc
    return OnnxModel(session)


def _dtype(name: str) -> npt.DTypeLike:
    names = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64,
             "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_}  # fmt: skip
    return names.get(name, np.float32)
