"""Writer: copies a skeleton under a new name. A kind's folder in skeletons/ is all that there is to a kind."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from typing import TYPE_CHECKING

from hayai import plugins
from hayai.errors import SettingsError
from hayai.sentences import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

_SKELETONS = files("hayai.new") / "skeletons"
_SUFFIX = ".skeleton"
_NAME = re.compile(r"[a-z][a-z0-9]{1,19}\Z")


def write(kind: str, name: str, into: Path, *, port: str = "secrets") -> list[Path]:
    """Write the package hayai-NAME into the folder `into`/NAME; returns its files.

    `kind` is handler, channel, adapter or agent; an adapter serves `port`.
    Raises SettingsError for a kind, a port or a name that cannot be, and where something of that name is there.
    """
    skeleton = _skeleton(kind, port)
    _check_name(name)
    folder = into / name
    if folder.exists():
        raise SettingsError(f"{folder} is there already: choose another name, or another folder with --into.")
    texts = {folder / path: text for path, text in _filled(skeleton, name)}
    if not _in_a_workspace(into):  # the workspace's own rules hold for all of its members
        texts[folder / "pyproject.toml"] += (_SKELETONS / "outside.toml").read_text(encoding="utf-8")
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as unwritten:
        raise SettingsError(f"{folder} cannot be written ({unwritten.strerror}): give another --into.") from None
    return sorted(texts)


def choices(kind: str) -> list[str]:
    """The ports that an adapter can be begun for, or just `kind`."""
    folders = [each.name for each in _SKELETONS.iterdir() if each.is_dir()]
    return sorted(each.removeprefix("adapter_") for each in folders if each.startswith(kind))


def _skeleton(kind: str, port: str) -> Traversable:
    """The folder of that kind."""
    kinds = sorted({each.name.partition("_")[0] for each in _SKELETONS.iterdir() if each.is_dir()})
    if kind not in kinds:
        raise SettingsError(f"There is no skeleton of a {kind!r}{nearest(kind, kinds)}")
    if kind != "adapter":
        return _SKELETONS / kind
    if port not in choices(kind):
        raise SettingsError(f"There is no skeleton of an adapter for {port!r}{nearest(port, choices(kind))}")
    return _SKELETONS / f"adapter_{port}"


def _check_name(name: str) -> None:
    if keyword.iskeyword(name):
        raise SettingsError(f"{name!r} cannot be a plugin's name: it is a word of Python itself. Choose another name.")
    if _NAME.match(name) is None:
        raise SettingsError(
            f"{name!r} cannot be a plugin's name: use 2 to 20 lower-case letters and digits, a letter first."
        )
    for group, several in plugins.installed().items():
        for each in several:
            if name in {each.name, each.distribution.removeprefix("hayai-")}:
                raise SettingsError(f"{name!r} is taken by {each.distribution} in {group}: choose another name.")


def _filled(folder: Traversable, name: str, way: str = "") -> Iterator[tuple[str, str]]:
    """Each file's path and text, with `skeleton` and `Skeleton` replaced by the name."""
    for each in folder.iterdir():
        if each.is_dir():
            yield from _filled(each, name, f"{way}{each.name}/")
        else:
            path = f"{way}{each.name}".removesuffix(_SUFFIX)
            yield _named(path, name), _named(each.read_text(encoding="utf-8"), name)


def _in_a_workspace(folder: Path) -> bool:
    manifests = [each / "pyproject.toml" for each in (folder.resolve(), *folder.resolve().parents)]
    return any("[tool.uv.workspace]" in each.read_text(encoding="utf-8") for each in manifests if each.is_file())


def _named(text: str, name: str) -> str:
    return text.replace("skeleton", name).replace("Skeleton", name.capitalize())
