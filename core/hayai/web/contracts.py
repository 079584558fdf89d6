"""The contracts of events over HTTP: a JSON Schema for each version, and AsyncAPI where a renderer is installed."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path

from hayai.contracts.registry import Registry
from hayai.contracts.rendering import render
from hayai.contracts.schemas import schema
from hayai.errors import PluginError

WireType = Annotated[str, Path(pattern=r"^[a-z][a-z0-9.]{0,120}\.v[1-9][0-9]{0,5}$")]


def contract_routes(registry: Registry) -> APIRouter:
    """The routes beside /openapi.json, as open as that: they tell what plugins can say, and nothing of any tenant."""
    router = APIRouter(tags=["contracts"])
    kept: dict[str, dict[str, Any]] = {}

    @router.get("/asyncapi.json")
    def asyncapi() -> dict[str, Any]:
        """The whole bus as AsyncAPI 3."""
        if not kept:
            kept["asyncapi"] = _rendered(registry)
        return kept["asyncapi"]

    @router.get("/events")
    def events() -> list[str]:
        """Every version of every event, `noun.verbed.vN`."""
        return sorted(registry.events())

    @router.get("/events/{wire_type}.json")
    def one(wire_type: WireType) -> dict[str, Any]:
        """The JSON Schema of one version's data."""
        if (event := registry.events().get(wire_type)) is None:
            raise HTTPException(404, "This install knows no such version of an event: /events lists them.")
        return schema(event)

    return router


def _rendered(registry: Registry) -> dict[str, Any]:
    try:
        return render("asyncapi", registry)
    except PluginError as missing:
        raise HTTPException(501, str(missing)) from None
