"""What the document calls a default is what the server takes a list without parameters for."""

import json
import urllib.request


def get(server, path):
    request = urllib.request.Request(
        server.url + path, headers={"Authorization": f"Bearer {server.token}"}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.load(answer)


def test_lists_have_the_defaults_of_the_document(document, server):
    api, tried = json.loads(document.read_text()), []
    ids = {"applicationId": server.application, "administratorId": get(server, "/me")["id"]}
    for path, operations in api["paths"].items():
        parameters = operations.get("get", {}).get("parameters", [])
        defaults = {
            one["name"]: one["schema"]["default"]
            for one in parameters
            if one["in"] == "query" and "default" in one["schema"]
        }
        if "perPage" not in defaults:
            continue
        page = get(server, path.format(**ids))
        for name in ("page", "perPage", "sortField", "sortDirection"):
            assert page[name] == defaults[name], (path, name)
        assert "_actions" in page and "_links" in page, path
        tried.append(path)
    assert len(tried) == 9, tried
