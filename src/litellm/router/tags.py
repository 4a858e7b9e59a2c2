"""Routing by tags: which deployments a request may use, by the labels that both carry.

    "blue"    deployments with this label (several: any of them, or all with tag_filtering_match_any: false)
    "!blue"   none with this label
    "&blue"   only those with this label, whatever else was asked for

A request without labels goes to the deployments labelled "default", where there are such. One whose plain labels nobody
carries goes there too; if there are none, it may go nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from litellm.router.deployments import Deployment

DEFAULT = "default"


def allowed(deployments: Sequence[Deployment], asked: Collection[str], *, match_any: bool = True) -> list[Deployment]:
    """The `deployments` that a request with the labels `asked` may use; empty for none."""
    without = {tag[1:] for tag in asked if tag.startswith("!")}
    required = {tag[1:] for tag in asked if tag.startswith("&")}
    wanted = {tag for tag in asked if not tag.startswith(("!", "&"))}
    left = [each for each in deployments if required <= each.tags and not without & each.tags]
    found = [each for each in left if (wanted & each.tags if match_any else wanted <= each.tags)] if wanted else []
    if found or (required and not wanted):
        return found or left
    default = [each for each in left if DEFAULT in each.tags]
    return default or ([] if wanted else left)


def tags_of(metadata: Mapping[str, Any], tags: object = None) -> tuple[str, ...]:
    """The labels that a request carries, as its `tags` or in its metadata.

    >>> tags_of({"tags": ["blue"]}, ["!slow"])
    ('!slow', 'blue')
    """
    said = [*_texts(tags), *_texts(metadata.get("tags"))]
    return tuple(dict.fromkeys(said))


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list | tuple) else []
