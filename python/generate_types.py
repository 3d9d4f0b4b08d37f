"""Writes the types of the API's resources, `lib/guestlist/_resources.py`, from its OpenAPI document.

    guestlist openapi | python3 python/generate_types.py > python/lib/guestlist/_resources.py

`cargo xtask python` refuses a file that is not what this writes; `cargo xtask generate` writes it.
"""

from __future__ import annotations

import json
import sys
import textwrap
from typing import Any, Iterator

PRELUDE = '''"""The resources of the API: generated from its OpenAPI document by `cargo xtask generate`.

A key that is always there is in a class whose name starts with an underscore; the class that
takes its name has the keys that may be missing. `NotRequired` would say it in one class, but is
not in the oldest Python that this package is for.
"""

from __future__ import annotations

from typing import Any, Literal, Optional, TypedDict


class Link(TypedDict):
    """A link to somewhere: a path relative to the server."""

    href: str


_LinkOfAction = TypedDict("_LinkOfAction", {"href": str, "method": str})


class ActionLink(_LinkOfAction, total=False):
    """Something the caller may do with a resource."""

    params: list[str]


class Entity(TypedDict, total=False):
    """What surrounds every resource."""

    _type: str
    _links: dict[str, Link]
    _actions: dict[str, ActionLink]
    _embedded: dict[str, Any]
'''

# Schemas that have no type of their own here: what is not a resource, what is only text, what is
# asked in a query, and what a call turns into something else.
NO_TYPE = (
    "Action Document Domain Error FieldError Health IdTest Link MomentTest Readiness Root Scope"
    " TagMatcher TagPart TagTest Tags TextTest advancedExperienceGroupQuery"
    " advancedExperienceUserQuery authedUser"
).split()

# Sets of words that several fields share.
WORDS = {
    ("asc", "desc"): "SortDirection",
    ("admin", "edit", "collaborate", "view", "none"): "Role",
    ("active", "inactive"): "TokenStatus",
}


def name_of(schema: str) -> str:
    return schema[0].upper() + schema[1:]


class Document:
    def __init__(self, document: dict[str, Any]) -> None:
        self.paths = document["paths"]
        self.schemas: dict[str, Any] = document["components"]["schemas"]

    def reference(self, to: str) -> str:
        name = to.rsplit("/", 1)[-1]
        if name == "Scope":
            return "str"
        schema = self.schemas[name]
        if "properties" not in schema:
            return self.type_of(schema)
        # What is written has the fields of what is read.
        read = name.removesuffix("Post")
        if read != name and read in self.schemas and self.shape(read) == self.shape(name):
            name = read
        return name_of(name)

    def shape(self, name: str) -> tuple[frozenset[str], frozenset[str]]:
        schema = self.schemas[name]
        return frozenset(schema["properties"]), frozenset(schema.get("required", ()))

    def type_of(self, schema: dict[str, Any]) -> str:
        if "$ref" in schema:
            plain = self.reference(schema["$ref"])
        elif "allOf" in schema:
            [only] = schema["allOf"]
            plain = self.type_of(only)
        elif "enum" in schema:
            words = tuple(schema["enum"])
            plain = WORDS.get(words) or literal(words)
        else:
            plain = self.type_named(schema)
        return f"Optional[{plain}]" if schema.get("nullable") else plain

    def type_named(self, schema: dict[str, Any]) -> str:
        match = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
        kind = schema["type"]
        if kind == "array":
            return f"list[{self.type_of(schema['items'])}]"
        if kind == "object":
            values = schema["additionalProperties"]
            return f"dict[str, {'Any' if values is True else self.type_of(values)}]"
        return match[kind]

    def resources(self) -> Iterator[str]:
        for name, schema in sorted(self.schemas.items(), key=lambda item: item[0].lower()):
            same = name.endswith("Post") and name_of(name.removesuffix("Post"))
            if name in NO_TYPE or (same and self.reference(name) == same):
                continue
            yield self.class_of(name, schema)

    def class_of(self, name: str, schema: dict[str, Any]) -> str:
        own = {key: it for key, it in schema["properties"].items() if not key.startswith("_")}
        required = [key for key in own if key in schema.get("required", ())]
        optional = [key for key in own if key not in required]
        around = "_type" in schema["properties"]
        title, about = name_of(name), "" if around else schema["description"]
        if not required:
            return self.one_class(title, "TypedDict, total=False", about, own, optional)
        if not optional and not around:
            return self.one_class(title, "TypedDict", about, own, required)
        bases = f"_{title}, Entity, total=False" if around else f"_{title}, total=False"
        always = self.one_class(f"_{title}", "TypedDict", "", own, required)
        return always + "\n\n" + self.one_class(title, bases, about, own, optional)

    def one_class(
        self, title: str, bases: str, about: str, fields: dict[str, Any], keys: list[str]
    ) -> str:
        lines = [f"class {title}({bases}):"]
        if about:
            lines += [*docstring(about), ""]
        for key in keys:
            lines.append(f"    {key}: {self.type_of(fields[key])}")
            lines += docstring(fields[key].get("description", ""))
        return "\n".join(lines if len(lines) > 1 else [*lines, "    pass"]) + "\n"

    def enumerations(self) -> Iterator[str]:
        for words, name in WORDS.items():
            yield f"{name} = {literal(words)}\n"
        for path in self.paths.values():
            get = path.get("get", {})
            kind = get.get("operationId", "").removesuffix(".get").removesuffix("s")
            # A token's list is one type, whoever owns it.
            kind = "apiToken" if kind.lower().endswith("apitoken") else kind
            for parameter in get.get("parameters", []):
                if parameter["name"] in ("sortField", "filterField"):
                    words = tuple(parameter["schema"]["enum"])
                    which = parameter["name"].removesuffix("Field").capitalize()
                    yield f"{name_of(kind)}{which} = {literal(words)}\n"


def literal(words: tuple[str, ...]) -> str:
    line = "Literal[" + ", ".join(f'"{word}"' for word in words) + "]"
    if len(line) < 60:
        return line
    return "Literal[\n" + "".join(f'    "{word}",\n' for word in words) + "]"


def docstring(text: str) -> list[str]:
    if not text:
        return []
    words = f'"""{" ".join(text.split())}"""'
    return textwrap.wrap(words, 99, initial_indent="    ", subsequent_indent="    ")


def main() -> None:
    document = Document(json.load(sys.stdin))
    enumerations = "".join(dict.fromkeys(document.enumerations()))
    sys.stdout.write("\n\n".join([PRELUDE, enumerations, *document.resources()]))


if __name__ == "__main__":
    main()
