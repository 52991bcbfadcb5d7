"""Weights of the user's own, --checkpoint=FILE.pt: read as numbers, never as code, and put into the module.

A checkpoint is what ``torch.save(model.state_dict(), FILE)`` writes, or a dictionary that holds one such; of
several ``FILE.pt:NAME`` says which. Torch reads it with ``weights_only``, which runs nothing that it holds.
"""

import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAVE = "torch.save(model.state_dict(), FILE) writes one"
WRAPPERS = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""
MOST_NAMED = 3


@dataclass(frozen=True)
class Weights:
    """Named tensors, not yet held against a module.

    Attributes:
        file: The file's name, with the entry that was taken if it holds several.
        tensors: By name.
    """

    file: str
    tensors: dict[str, Any]

    def put_into(self, module: Any) -> None:
        """Load them into a module, whole.

        Raises:
            ValueError: In one line, if names or shapes do not match.
        """
        own = module.state_dict()
        given = self.tensors if self.tensors.keys() & own.keys() else _unwrapped(self.tensors)
        wrong = [
            *_named("does not hold", [name for name in own if name not in given]),
            *_named("holds what the model lacks,", [name for name in given if name not in own]),
            *_named("has other shapes,", [n for n in own if n in given and given[n].shape != own[n].shape]),
        ]
        if wrong:
            raise ValueError(
                f"the weights of --checkpoint do not match it: {self.file} {'; it '.join(wrong)}"
            )
        module.load_state_dict(given)


def _named(what: str, names: list[str]) -> list[str]:
    more = f", … ({len(names)} in all)" if len(names) > MOST_NAMED else ""
    return [f"{what} {', '.join(names[:MOST_NAMED])}{more}"] if names else []


def _unwrapped(tensors: dict[str, Any]) -> dict[str, Any]:
    for prefix in WRAPPERS:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors


def read(words: str) -> Weights:
    """The tensors of ``FILE`` or of ``FILE:NAME``.

    Raises:
        ValueError: In one line, if there is no such file, it is none of torch's, holds pickled code, not
            exactly one state_dict or not the one that is named, or numbers that are not finite.
    """
    path, name = Path(words), ""
    if not path.is_file() and ":" in words:
        front, _, name = words.rpartition(":")
        path = Path(front)
    if not path.is_file():
        raise ValueError("it is a folder" if path.is_dir() else "there is no such file")
    taken, tensors = _chosen(_content(path), name)
    for key, value in tensors.items():
        if value.is_floating_point() and not value.isfinite().all():
            raise ValueError(f"its tensor {key} holds NaN or infinity")
    return Weights(f"{path.name}:{taken}" if taken else path.name, tensors)


def _content(path: Path) -> Any:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        code = re.search(r"GLOBAL (\w[\w.]*)", str(error))
        if code:
            raise ValueError(f"it holds pickled code ({code[1]}), which is not run; {SAVE} without") from None
        raise ValueError(f"it is no checkpoint that can be read as numbers alone; {SAVE}") from None
    except RuntimeError as error:
        if "TorchScript" in str(error):
            raise ValueError(f"it is a TorchScript archive, which holds code; {SAVE} without") from None
        raise ValueError(f"it is no checkpoint of torch, or a damaged one; {SAVE}") from None
    except Exception:  # whatever else a foreign file makes the reader raise
        raise ValueError(f"it is no checkpoint of torch; {SAVE}") from None


def _chosen(content: Any, name: str) -> tuple[str, dict[str, Any]]:
    """The state_dict that a file is or holds, and its name there."""
    if not name and _is_state(content):
        return "", dict(content)
    held = dict(content) if isinstance(content, Mapping) else {}
    states = {str(key): dict(value) for key, value in held.items() if _is_state(value)}
    if name and name not in states:
        raise ValueError(f"it holds no state_dict {name!r}; {_what_there_is(states)}")
    if not name and len(states) != 1:
        raise ValueError(f"it holds {len(states)} state_dicts; {_what_there_is(states)}")
    taken = name or next(iter(states))
    return taken, states[taken]


def _what_there_is(states: dict[str, Any]) -> str:
    return f"say which, FILE:NAME, of {', '.join(states)}" if states else SAVE


def _is_state(value: Any) -> bool:
    """Whether it is a dictionary of tensors by name."""
    import torch

    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in value.items())
    )
