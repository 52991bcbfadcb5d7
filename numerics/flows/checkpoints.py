"""Trained fields, kept between runs: what was trained once as asked is not trained again.

A checkpoint is named by a hash of everything that its weights depend on. What is read is checked, not
trusted: ``weights_only``, the same key, the network's own shapes, and a digest of the numbers. A file that
fails is named in the log, trained again and replaced. The digest finds damage, not malice: who can write to
the directory can write weights.
"""

import hashlib
import json
import logging
import os
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock

from numerics.flows.learned import (
    LearnedField,
    check_device,
    count_conditions,
    draw,
    frozen,
    train,
)
from numerics.flows.network import VelocityNetwork
from numerics.flows.pairs import Pairs
from numerics.flows.recipe import Training

VARIABLE = "OTCFM_CACHE"
FORMAT = 1
_SOURCES = ("learned.py", "network.py", "pairs.py", "recipe.py")
_LIBRARIES = ("torch", "numpy", "scipy", "POT", "torchcfm")
_log = logging.getLogger(__name__)


def trained(
    pairs: Pairs,
    dim: int,
    training: Training,
    *,
    description: str = "",
    directory: Path | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> LearnedField:
    """`learned.train`, unless a checkpoint of the same configuration, code, versions and data is there.

    Processes that ask for the same field at the same time wait for the one that trains it.

    Args:
        pairs: As in `learned.train`. The key has a digest of a first batch of them, so that other data or
            another coupling is another field.
        dim: d.
        training: As in `learned.train`.
        description: Words that go into the key, for pairs whose first batch does not tell them apart.
        directory: Where checkpoints are; `cache_directory()` where None.
        device: As in `learned.train`.
        progress: As in `learned.train`.

    Raises:
        ValueError: As `learned.train`.
        RuntimeError: As `learned.train`.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from numerics.flows import Training, pairs
        >>> from numerics.potentials import Sphere
        >>> shape = Training(steps=3, batch=8, width=4)
        >>> with tempfile.TemporaryDirectory() as folder:  # trained once, read the second time
        ...     kept = [
        ...         trained(pairs.exact(Sphere(2)), 2, shape, directory=Path(folder), progress=False)
        ...         for _ in range(2)
        ...     ]
        ...     len(list(Path(folder).glob("*.pt")))
        1
    """
    check_device(device)
    conditions = count_conditions(pairs, dim, training.batch)
    name = key(pairs, dim, training, description, device)
    folder = cache_directory() if directory is None else Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = FileLock(folder / f"{name}.lock").acquire()
    except OSError as error:
        _not_kept(folder, error)
        return train(pairs, dim, training, device=device, progress=progress)
    with held:
        path = folder / f"{name}.pt"
        kept = load(path, name, dim, training, conditions)
        if kept is not None:
            return kept.to(device)
        field = train(pairs, dim, training, device=device, progress=progress)
        try:
            save(path, name, field)
        except OSError as error:
            _not_kept(path, error)
        return field


def cache_directory() -> Path:
    """$OTCFM_CACHE, or otcfm-theorems in $XDG_CACHE_HOME, or in ~/.cache."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "otcfm-theorems"


def key(pairs: Pairs, dim: int, training: Training, description: str, device: str) -> str:
    """The hash of what a trained field depends on."""
    here = Path(__file__).parent
    first = draw(pairs, training, np.random.default_rng(training.seed), torch.device("cpu"))
    parts = {
        "format": FORMAT,
        "dim": dim,
        "training": repr(training),
        "description": description,
        "device": device,
        "code": [_digest((here / source).read_bytes()) for source in _SOURCES],
        "versions": [_version(library) for library in _LIBRARIES],
        "data": _digest(*(part.numpy().tobytes() for part in first)),
    }
    return _digest(json.dumps(parts, sort_keys=True).encode())[:32]


def save(path: Path, name: str, field: LearnedField) -> None:
    """Write a checkpoint, all of it or nothing: under another name first.

    Raises:
        OSError: If it cannot be written.
    """
    state = {entry: value.cpu().float() for entry, value in field.module.state_dict().items()}
    losses = torch.from_numpy(field.losses)
    content = {"key": name, "state": state, "losses": losses, "digest": _of_numbers(state, losses)}
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(content, file)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: Path, name: str, dim: int, training: Training, conditions: int) -> LearnedField | None:
    """The field of a checkpoint; None where there is none, or where it is named in the log as bad."""
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        return _restored(content, name, dim, training, conditions)
    except Exception as error:  # whatever a damaged or foreign file makes the reader raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        _log.warning("%s: not a checkpoint of this field (%s); it is trained again", path, reason)
        return None


def _restored(
    content: object, name: str, dim: int, training: Training, conditions: int
) -> LearnedField | None:
    if not isinstance(content, dict) or not {"key", "state", "losses", "digest"} <= content.keys():
        raise ValueError("it holds something else")
    if content["key"] != name:
        raise ValueError(f"its key is {content['key']!r}")
    network = VelocityNetwork(dim, training.width, training.depth, conditions)
    state, losses = content["state"], content["losses"]
    expected = {entry: (value.shape, value.dtype) for entry, value in network.state_dict().items()}
    if not isinstance(state, dict) or expected != {k: (v.shape, v.dtype) for k, v in state.items()}:
        raise ValueError("its weights have other names, shapes or types")
    if not isinstance(losses, torch.Tensor) or losses.shape != (training.steps,):
        raise ValueError(f"it doesn't hold {training.steps} losses")
    if content["digest"] != _of_numbers(state, losses):
        raise ValueError("its numbers are damaged")
    network.load_state_dict(state)
    return LearnedField(frozen(network), dim, training, losses.double().numpy())


def _of_numbers(state: dict[str, torch.Tensor], losses: torch.Tensor) -> str:
    return _digest(*(value.contiguous().numpy().tobytes() for value in (*state.values(), losses)))


def _not_kept(path: Path, error: OSError) -> None:
    _log.warning("%s: cannot be written (%s); the trained field is not kept", path, error)


def _digest(*parts: bytes) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def _version(library: str) -> str:
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:
        return f"{library} absent"
