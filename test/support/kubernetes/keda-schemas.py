"""Prints the JSON schemas of KEDA's resources that the samples use, by kind, from their pydantic models."""

import json

from cloudcoil.models.keda import v1alpha1


def strict(schema):
    """Kubernetes drops fields that it does not know; here they are errors, in every object that lists its fields."""
    for one in [schema, *schema["$defs"].values()]:
        if "properties" in one:
            one["additionalProperties"] = False
    return schema


def schema_of(kind):
    return strict(getattr(v1alpha1, kind).model_json_schema(by_alias=True))


print(json.dumps({kind: schema_of(kind) for kind in ("ScaledObject", "TriggerAuthentication")}))
