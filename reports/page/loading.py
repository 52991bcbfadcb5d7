"""report.json as read from a directory, refused in one line where it is damaged or another's."""

import json
from pathlib import Path
from typing import Any

from reports.schema import check

Report = dict[str, Any]
LARGEST = 256 * 2**20
"""The largest report.json that is read, in bytes."""


def load(directory: Path) -> Report:
    """The content of a directory's report.json.

    Raises:
        ValueError: In one line, if there is none, it is damaged, too large, or does not follow the schema.
    """
    file = directory / "report.json"
    try:
        size = file.stat().st_size
        if size > LARGEST:
            raise ValueError(f"report.json has {size:,} bytes; at most {LARGEST:,} are read")
        content = json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_number)
    except FileNotFoundError:
        raise ValueError("there is no report.json; name a directory written by pytest --report=DIR") from None
    except NotADirectoryError:
        raise ValueError("this is a file; name the directory that holds report.json") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"report.json is damaged: no UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"report.json is damaged: {error.msg} in line {error.lineno}") from None
    except RecursionError:
        raise ValueError("report.json is damaged: it is nested too deeply") from None
    check(content)
    return dict(content)


def _no_number(constant: str) -> None:
    raise ValueError(f"report.json is damaged: {constant} is no number that a report may hold")
