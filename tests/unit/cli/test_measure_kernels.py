"""The script that measures a GPU, run on a stand-in for one: what it writes, Weir reads."""

import importlib.util
import sys
import types
from contextlib import contextmanager

import pytest

from weir.catalog.measured import SHAPES, read_measured

MILLISECONDS = 2.0


class Graph:
    """Takes the calls that are captured, as a CUDA graph does."""

    def replay(self):
        pass


class Event:
    """A timer by which every graph takes the same time."""

    def __init__(self, enable_timing):
        self.enable_timing = enable_timing

    def record(self):
        pass

    def elapsed_time(self, _end):
        return MILLISECONDS


class Tensor:
    """Something that holds bytes; the script looks into none."""

    def copy_(self, other):
        return other


@contextmanager
def entered(*_):
    yield


def stand_in():
    """As much of PyTorch as the script uses."""
    torch, functional = types.ModuleType("torch"), types.ModuleType("torch.nn.functional")
    functional.linear = functional.scaled_dot_product_attention = lambda *_a, **_k: Tensor()
    nn = types.ModuleType("torch.nn")
    nn.functional = functional
    torch.nn, torch.bfloat16, torch.uint8 = nn, "bf16", "u8"
    torch.randn = torch.empty = lambda *_a, **_k: Tensor()
    torch.__version__, torch.version = "0", types.SimpleNamespace(cuda="0")
    torch.inference_mode = entered
    torch.cuda = types.SimpleNamespace(
        Stream=Graph, stream=entered, synchronize=lambda: None, CUDAGraph=Graph, graph=entered,
        Event=Event, is_available=lambda: True,
        get_device_properties=lambda _: types.SimpleNamespace(L2_cache_size=50 * 2**20),
    )  # fmt: skip
    return {"torch": torch, "torch.nn": nn, "torch.nn.functional": functional}


@pytest.fixture
def script(root, monkeypatch):
    for name, module in stand_in().items():
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("measured", root / "bench/measure_kernels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_the_script_writes_is_read_and_fitted(script, monkeypatch, tmp_path, weir):
    path = tmp_path / "bench.csv"
    monkeypatch.setattr(sys, "argv", ["measure", "--chip", "H100", "--out", str(path)])
    script.main()
    rows = read_measured(path)
    assert {row.kernel for row in rows} == set(SHAPES)
    # One graph holds as many calls as the pool has copies, eight at least.
    assert max(row.measured_s for row in rows) == MILLISECONDS / 1e3 / script.CALLS_PER_GRAPH
    assert all(row.chip == "H100" for row in rows)
    ran = weir("calibrate", "--measured", path)
    assert ran.status == 0
    assert "attention_decode" in ran.out


def test_a_machine_without_a_gpu_is_told_so(script, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["measure", "--chip", "H100", "--out", str(tmp_path / "x")])
    monkeypatch.setattr(script.torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no CUDA device"):
        script.main()
    assert not (tmp_path / "x").exists()
