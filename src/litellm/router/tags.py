"""Routing by tags: which deployments a request may use, by the labels that both carry.

    "blue"    deployments with this label (several: any of them, or all with tag_filtering_match_any: false)
    "!blue"   none with this label
    "&blue"   only those with this label, whatever else was asked for

A request without labels goes to the deployments labelled "default", where there are such. One whose plain labels no
deployment carries goes there too; if there are none, it may go nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from litellm.router.deployments import Deployment
from litellm.router.pool import Group

DEFAULT = "default"
_EMPTY = "empty"


def allowed(group: Group, labels: Collection[str], *, match_any: bool = True) -> Group:
    """The part of `group` that a request with the labels `labels` may use; it may be empty."""
    carried = group.once(_labels_of)
    required = frozenset(tag[1:] for tag in labels if tag.startswith("&"))
    if not required <= carried:
        return group.part(_EMPTY, lambda _: ())
    wanted = frozenset(tag for tag in labels if not tag.startswith(("!", "&")))
    # Clients can make up any number of labels. Those that no deployment carries must not tell one part from another.
    filtering = _Filter(
        without=carried & {tag[1:] for tag in labels if tag.startswith("!")},
        required=required,
        wanted=carried & wanted if match_any or wanted <= carried else frozenset(),
        wants=bool(wanted),
        match_any=match_any,
    )
    return group.part(filtering, filtering.keep)


class _Filter(msgspec.Struct, frozen=True, kw_only=True):
    """The labels of a request that some deployment carries. wants: it had plain ones, even if no deployment has them."""

    without: frozenset[str]
    required: frozenset[str]
    wanted: frozenset[str]
    wants: bool
    match_any: bool

    def keep(self, deployments: Sequence[Deployment]) -> Sequence[Deployment]:
        remaining = [each for each in deployments if self.required <= each.tags and not self.without & each.tags]
        found = [each for each in remaining if self._suits(each)] if self.wanted else []
        if found or (self.required and not self.wants):
            return found or remaining
        default = [each for each in remaining if DEFAULT in each.tags]
        return default or ([] if self.wants else remaining)

    def _suits(self, deployment: Deployment) -> bool:
        return bool(self.wanted & deployment.tags) if self.match_any else self.wanted <= deployment.tags


def _labels_of(group: Group) -> frozenset[str]:
    return frozenset().union(*(each.tags for each in group.members))


def tags_of(metadata: Mapping[str, Any], tags: object = None) -> tuple[str, ...]:
    """The labels that a request carries, as its `tags` or in its metadata.

    >>> tags_of({"tags": ["blue"]}, ["!slow"])
    ('!slow', 'blue')
    """
    labels = [*_texts(tags), *_texts(metadata.get("tags"))]
    return tuple(dict.fromkeys(labels))


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list | tuple) else []
