"""What every refusal looks like (RFC 9457; DESIGN.md section 4)."""

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


def check_problem(response, status, code=None, instance=None):
    """Holds a refusal to its shape; returns the document."""
    assert response.status == status, response
    assert response.one("Content-Type").split(";")[0] == "application/problem+json", response
    document = response.json()
    assert MEMBERS <= set(document), f"missing {MEMBERS - set(document)} in {document}"
    assert document["status"] == status
    assert document["title"] and document["detail"] and document["request_id"] and document["code"]
    if code is not None:
        assert document["code"] == code, document
    if instance is not None:
        assert document["instance"] == instance, document
    return document


def same_but_for_the_request(a, b):
    """True if two documents tell a caller the same."""
    strip = lambda document: {k: v for k, v in document.items() if k not in ("request_id", "instance")}
    return strip(a) == strip(b)
