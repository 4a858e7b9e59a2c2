"""Where a deployment is: in "eu", the European Union, in "us", the United States, or unknown.

The EU's are listed one by one, because the beginnings of their names tell nothing: `eu-west-2` is London, and
`europe-west6` Zurich. A place that has no such name is said as it is meant, `region_name: eu`.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from litellm.exceptions import BadRequestError
from litellm.router.deployments import Deployment

Region = Literal["eu", "us"]
REGIONS: tuple[Region, ...] = get_args(Region)

# Where the entry of a deployment says it, in LiteLLM's words; the first that is there counts.
PARAMS = ("region_name", "aws_region_name", "vertex_location", "watsonx_region_name")
# "azure/eu/gpt-4o" as base_model is what Azure keeps within the EU; "bedrock/eu-central-1/…" names the region to ask.
_IN_NAMES = frozenset({"azure", "bedrock"})

_EU = frozenset({
    # Azure
    "austriaeast", "belgiumcentral", "denmarkeast", "francecentral", "francesouth", "germanynorth", "germanywestcentral",
    "italynorth", "northeurope", "polandcentral", "spaincentral", "swedencentral", "swedensouth", "westeurope",
    # AWS
    "eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3", "eusc-de-east-1",
    # Google Cloud
    "europe-central2", "europe-north1", "europe-north2", "europe-southwest1", "europe-west1", "europe-west3",
    "europe-west4", "europe-west8", "europe-west9", "europe-west10", "europe-west12",
    # IBM, Oracle
    "eu-de", "eu-es", "eu-amsterdam-1", "eu-frankfurt-1", "eu-madrid-1", "eu-marseille-1", "eu-milan-1", "eu-paris-1",
    "eu-stockholm-1",
})  # fmt: skip
_US = re.compile(r"us-.+|usgov.+|(north|south|west)?(east|west|central)us\d?|usdod.+")


def region_in(name: str) -> Region | None:
    """The region that a cloud's region lies in, by its name.

    >>> [region_in(name) for name in ("eu", "West Europe", "us-east-1", "eu-west-2", "tokyo")]
    ['eu', 'eu', 'us', None, None]
    """
    plain = name.lower().replace(" ", "")
    if plain == "eu" or plain in _EU:
        return "eu"
    return "us" if plain == "us" or _US.fullmatch(plain) else None


def region_of(deployment: Deployment) -> Region | None:
    """Where a deployment is, as its entry says; None where it does not."""
    stated = next((value for name in PARAMS if (value := deployment.params.get(name)) is not None), None)
    if stated is not None:
        return region_in(str(stated))
    for name in (deployment.base_model, deployment.model):
        cloud, *inner = (name or "").split("/")
        if cloud in _IN_NAMES and len(inner) > 1:
            return region_in(inner[0])
    return None


def parse_region(value: object) -> Region | None:
    """The region that a request is held to, out of its `allowed_model_region`. Raises ValueError for any other.

    >>> parse_region("EU"), parse_region(None)
    ('eu', None)
    """
    if value is None:
        return None
    plain = value.strip().lower() if isinstance(value, str) else value
    for region in REGIONS:
        if region == plain:
            return region
    excerpt = repr(value)[:50] if isinstance(value, str | int | float) else type(value).__name__
    raise ValueError(f'allowed_model_region must be "eu" or "us", not {excerpt}')


def region_of_call(value: object, model: str) -> Region | None:
    """The same for a call of `model`. Raises BadRequestError."""
    try:
        return parse_region(value)
    except ValueError as error:
        raise BadRequestError(str(error), model, param="allowed_model_region") from None
