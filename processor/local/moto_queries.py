"""Which resource a request to Athena or Glue is about: moto asks its responses, and these do not say."""

from __future__ import annotations

from typing import Any


def workgroup(response: Any) -> str | None:
    """ARN of the workgroup: named, or that of the query or execution that is named; None if there is none."""
    param, backend = response._get_param, response.athena_backend  # noqa: SLF001  it has no other door
    name = param("WorkGroup")
    for kept, what in ((backend.executions, "QueryExecutionId"), (backend.named_queries, "NamedQueryId")):
        if (found := kept.get(param(what))) is not None:
            name = getattr(found.workgroup, "name", found.workgroup)
    return f"arn:aws:athena:{response.region}:{response.current_account}:workgroup/{name}" if name else None


def table(response: Any) -> str | None:
    """ARN of the table, or of a database alone; AWS looks at all of the path. None if there is none."""
    param = response._get_param  # noqa: SLF001
    path = [name for name in (param("DatabaseName"), param("Name") or param("TableName")) if name]
    if not path:
        return None
    kind = "table" if len(path) > 1 else "database"
    return f"arn:aws:glue:{response.region}:{response.current_account}:{kind}/{'/'.join(path)}"
