"""What Schemathesis has to know beside the description to make requests that mean something."""

from __future__ import annotations

import datetime
import json
import os

import schemathesis
from hypothesis import strategies as st

# Moments are answered in UTC with a year of four digits: one that has none there is refused.
schemathesis.openapi.format(
    "date-time",
    st.datetimes(
        min_value=datetime.datetime(2060, 1, 1), max_value=datetime.datetime(2100, 1, 1)
    ).map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z"),
)

# An address is what the HTML standard calls one.
schemathesis.openapi.format(
    "email", st.from_regex(r"\A[a-z0-9]{1,12}@[a-z]{1,8}\.(com|org)\Z")
)


def described(schema):
    """Puts back what OpenAPI 3.0 has no words for, where the document says it in its own."""
    if isinstance(schema, list):
        for one in schema:
            described(one)
    elif isinstance(schema, dict):
        patterns = schema.pop("x-patternProperties", None)
        if patterns:
            schema["patternProperties"] = patterns
            schema["additionalProperties"] = False
        if "x-contentSchema" in schema:
            # A query is fuzzed by tests of its own: here it is one of a few that are right.
            group = schema["x-contentSchema"]["$ref"].endswith("GroupQuery")
            field = {"name": {"$contains": "a"}} if group else {"email": {"$contains": "a"}}
            schema["enum"] = [json.dumps(query) for query in ({}, field, {"id": {"$in": []}})]
        for one in schema.values():
            described(one)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    described(raw_schema)


APPLICATION = os.environ["GUESTLIST_APPLICATION"]


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    # Half of the requests are for an application that is there.
    if path_parameters and path_parameters.get("applicationId", "0")[-1:] in "01234567":
        path_parameters["applicationId"] = APPLICATION
    return path_parameters


# Second difference: of parameters the server forgives more than the description says. A blank one
# is as if it were not there, one that nobody knows is passed over, the first of several counts, and
# a switch that is set by any value is described as `true` alone.
SET = ("keep", "remove")
SWITCHES = ("_actions", "_links", "_embedded")


@schemathesis.hook
def map_query(context, query):
    if isinstance(query, dict):
        for name in list(query):
            value = query[name]
            several = isinstance(value, (list, dict))
            if value in ("", None) or several or name.startswith(SET + SWITCHES):
                del query[name]
        # A filter without the field that it is for is refused, which no schema of parameters can say.
        if "filterField" not in query:
            query.pop("filter", None)
    return query


@schemathesis.hook
def filter_query(context, query):
    # A cursor is good only along with the page that it came from, which no schema can say.
    return not query or "cursor" not in query


# Lists of ids of things in the application; that they exist is looked at by the store.
IDS = ("experienceGroupIds", "experienceUserIds", "parentId", "orgId")


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict):
        for name in IDS:
            body.pop(name, None)
        # A moment that an answer had is tried as well, and no token is made that has already ended.
        if str(body.get("expirationDate")) < "2060":
            body.pop("expirationDate", None)
    return body
