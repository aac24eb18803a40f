#!/usr/bin/env python3
"""Holds the sources against the house rules that a compiler does not check.

  includes    who may include whom: the table ALLOWED below is the one of STYLE section 3, with three additions
              that its text implies: `app` is a folder (gateway/app), cli is the composition's front and may read
              what it prints (settings, keys, admin's JSON, and request/http1 for `explain`), and observe is open
              to all but domain and ports.
  adapters    only gateway/app/stores.cpp names an adapter; none includes another, but for adapters/sql, which is what
              the SQL databases' adapters have in common
  vendors     third-party headers stay in their places: VENDORS
  coroutines  no brace-initialised type and no capturing lambda inside a statement with co_await (g++ 12.2 frees
              them twice), and no aggregate initialised from one (`Thing t{co_await ...}`)
  files       a comment at the top (a .cpp beside its .hpp, and a test of x, are introduced by that one), at
              most 400 lines, no TODO without an issue number

Prints `file:line: rule: what` and exits 1 if there is anything. --self-test shows on bad samples that each rule
finds what it is for.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAX_LINES = 400

# layer -> the layers it may include besides itself
ALLOWED = {
    "domain": set(),
    "observe": set(),
    "http1": {"domain"},
    "settings": {"domain"},
    "net": set(),
    "ports": {"net/asio.hpp", "domain"},
    "keys": {"ports", "net", "domain"},
    "verification": {"keys", "ports", "net", "domain"},
    "limiting": {"ports", "net", "domain"},
    "request": {"verification", "limiting", "http1", "ports", "net", "domain"},
    "adapters": {"ports", "net", "domain"},
    "admin": {"keys", "verification", "ports", "net", "domain"},
    "app": {"admin", "request", "http1", "verification", "limiting", "keys", "adapters", "settings", "ports", "net", "domain"},
    "cli": {"app", "admin", "keys", "settings", "request", "http1", "ports", "net", "domain"},
    "main": {"cli"},
}
for _layer in ALLOWED:
    if _layer not in ("domain", "ports", "main"):
        ALLOWED[_layer] = ALLOWED[_layer] | {"observe"}
ALLOWED["observe"] = set()

# adapter -> what it shares with its like
SHARED_BY_SQL = {"sqlite": "sql", "postgres": "sql"}

ADAPTERS_NAMED_IN = "gateway/app/stores.cpp"

# (pattern of the header, where it may be included)
VENDORS = [
    (r"(pqxx/|libpq)", ("gateway/adapters/postgres/",)),
    (r"hiredis", ("gateway/adapters/redis/",)),
    (r"sqlite3\.h", ("gateway/adapters/sqlite/",)),
    (r"yaml-cpp/", ("gateway/settings/",)),
    (r"CLI/", ("gateway/cli/", "gateway/main.cpp")),
    (r"curl/", ("gateway/adapters/smtp/",)),
    (r"crypt\.h", ("gateway/domain/",)),
    (r"zlib\.h", ("gateway/domain/",)),
    (r"openssl/", ("gateway/domain/", "gateway/net/", "gateway/adapters/local/", "gateway/cli/demo_session.cpp")),
    (r"boost/beast", ("gateway/http1/", "gateway/net/", "admin/", "gateway/cli/demo_")),
    (r"boost/json", ("gateway/keys/", "gateway/adapters/", "gateway/cli/", "admin/", "gateway/app/")),
    (r"boost/asio", ("gateway/net/", "gateway/cli/demo_", "gateway/app/", "admin/", "gateway/request/",
                     "gateway/verification/", "gateway/limiting/", "gateway/keys/", "gateway/adapters/")),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
LAYERS = set(ALLOWED) - {"main"}


def layer_of(path):
    parts = path.split("/")
    if parts[0] == "admin":
        return "admin"
    if path == "gateway/main.cpp":
        return "main"
    return parts[1] if len(parts) > 2 else None


def layer_included(header):
    first = header.split("/")[0]
    return first if "/" in header and first in LAYERS else None


def blank(text):
    """The same text with comments and literals blanked out; line breaks stay where they are."""
    def keep_lines(match):
        return "".join(c if c == "\n" else " " for c in match.group(0))
    text = re.sub(r"(?m)^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", keep_lines, text)
    pattern = re.compile(r'R"([^(\s]*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Za-z_])\'(?:\\.|[^\'\\\n])+\'', re.S)
    return pattern.sub(keep_lines, text)


def check_includes(path, lines):
    layer = layer_of(path)
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, header = match.group(1) == '"', match.group(2)
        if quoted:
            other = layer_included(header)
            if layer is None:
                yield number, "includes", f"{path} is in no layer"
            elif header.endswith(".inc"):
                pass  # made by the build
            elif other is None:
                yield number, "includes", f'"{header}" is not named from the root of a layer'
            elif other == "adapters" and layer != "adapters" and path != ADAPTERS_NAMED_IN:
                yield number, "adapters", f'only {ADAPTERS_NAMED_IN} names an adapter, not "{header}"'
            elif other != layer and other not in ALLOWED[layer] and header not in ALLOWED[layer]:
                yield number, "includes", f'{layer} may not include "{header}"'
            elif other == layer == "adapters" and header.split("/")[1] not in (path.split("/")[2], SHARED_BY_SQL.get(path.split("/")[2])):
                yield number, "includes", f'an adapter may not include another: "{header}"'
        for pattern, places in VENDORS:
            if re.match(pattern, header) and not path.startswith(places):
                yield number, "vendors", f"<{header}> belongs to {', '.join(places)}"


def statements(code):
    """(offset, text) of each statement: up to a ';' or a brace that opens or closes a block. A brace that
    belongs to an initialiser or a lambda is part of its statement."""
    start, i, depth, stack = 0, 0, 0, []
    while i < len(code):
        c = code[i]
        if c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
        elif c == "{":
            before = code[start:i].rstrip()
            # inside parentheses, after '=', ',', a name, '>' or 'return': an initialiser
            inner = depth > 0 or re.search(r"(=|,|\breturn|\bco_return|\bco_await|\{)$", before) or \
                (re.search(r"[\w>]$", before) and not opens_block(before))
            stack.append((inner, start))
            if not inner:
                yield start, code[start:i]
                start = i + 1
        elif c == "}":
            inner, _ = stack.pop() if stack else (False, 0)
            if not inner:
                yield start, code[start:i]
                start = i + 1
        elif c == ";" and depth == 0 and not any(inner for inner, _ in stack):
            yield start, code[start:i]
            start = i + 1
        i += 1


def opens_block(before):
    """Does a '{' after this text open a block (function, class, control flow)?"""
    text = before.strip()
    if re.search(r"\b(else|do|try|const|noexcept|override|final|mutable)$", text):
        return True
    return bool(re.match(r"(template\b.*>\s*)?(inline\s+)?(namespace|class|struct|enum|union|extern|switch|if|for|while)\b", text, re.S)) \
        and "co_await" not in text


BRACED_TYPE = re.compile(r"(?<![\w.>])((?:\w+::)*[A-Z]\w*(?:<[^;{}]*?>)?)\s*\{")
CAPTURE = re.compile(r"(?<![\w\])])\[\s*[&=\w][^\]]*\]\s*(\(|\{|mutable|->)")
FROM_AWAIT = re.compile(r"\b[A-Z][\w:]*(?:<[^;{}]*>)?\s+\w+\s*\{\s*co_await\b|=\s*\{\s*co_await\b")


def built_types(code):
    """Types that the code gives a constructor: building one is a call, and safe."""
    names = set(re.findall(r"\b(?:struct|class)\s+(?:\w+::)*([A-Z]\w*)", code))
    return {name for name in names
            if re.search(r"(?m)^\s*(?:explicit\s+|constexpr\s+|inline\s+)*%s\s*\((?!.*\)\s*=\s*(?:default|delete))" % name, code)}


# Those of the tree, and Asio's behind our own names.
CONSTRUCTED = {"Timer", "Socket", "Acceptor", "SignalSet"}


def is_unsafe(match):
    name = re.search(r"(\w+)(?:<[^;{}]*>)?\s*(?:\w+\s*)?\{", match.group(0))
    return name is None or name.group(1) not in CONSTRUCTED


def check_coroutines(code):
    for offset, text in statements(code):
        if "co_await" not in text:
            continue
        for pattern, what in ((FROM_AWAIT, "an aggregate initialised from co_await"),
                              (BRACED_TYPE, "braces build an object in a statement with co_await"),
                              (CAPTURE, "a capturing lambda in a statement with co_await")):
            match = next(filter(is_unsafe, pattern.finditer(text)), None)
            if match:
                line = code.count("\n", 0, offset + match.start()) + 1
                yield line, "coroutines", f"{what}: build it on the line before"
                break


def check_file(path, text):
    lines = text.split("\n")
    if path.endswith((".hpp", ".cpp")):
        if path.startswith(("gateway/", "admin/")):
            yield from check_includes(path, lines)
        yield from check_coroutines(blank(text))
    introduced = path.endswith("_test.cpp") or os.path.exists(os.path.join(ROOT, path[:-4] + ".hpp"))
    first = lines[0] if not lines[0].startswith("#!") else (lines[1] if len(lines) > 1 else "")
    if not introduced and (not first.startswith(("//", "/*", "#", '"""')) or first.startswith(("#include", "#pragma"))):
        yield 1, "files", "starts without a comment that says what it is for"
    if len(lines) - 1 > MAX_LINES:
        yield MAX_LINES + 1, "files", f"{len(lines) - 1} lines: split above {MAX_LINES}"
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b(?!\W{0,3}#\d+)", line) and not path.endswith("check_rules.py"):
            yield number, "files", "a TODO needs an issue number: TODO(#12)"


def sources():
    for top in ("gateway", "admin", "tests", "bench"):
        for folder, folders, names in os.walk(os.path.join(ROOT, top)):
            folders[:] = sorted(f for f in folders if f not in ("__pycache__", "seeds", "node_modules"))
            for name in sorted(names):
                if name.endswith((".hpp", ".cpp", ".py")):
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def check_tree():
    findings = 0
    texts = {}
    for path in sources():
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            texts[path] = file.read()
    for path, text in texts.items():
        if path.endswith((".hpp", ".cpp")):
            CONSTRUCTED.update(built_types(blank(text)))
    for path, text in texts.items():
        for number, rule, what in check_file(path, text):
            print(f"{path}:{number}: {rule}: {what}")
            findings += 1
    return findings


# (path, source, the rule that must be broken, or None)
SAMPLES = [
    ("gateway/domain/a.hpp", '// A.\n#include "net/asio.hpp"\n', "includes"),
    ("gateway/request/a.hpp", '// A.\n#include "admin/server.hpp"\n', "includes"),
    ("gateway/ports/a.hpp", '// A.\n#include "net/offload.hpp"\n', "includes"),
    ("gateway/ports/a.hpp", '// A.\n#include "net/asio.hpp"\n', None),
    ("gateway/domain/a.cpp", '// A.\n#include "observe/log.hpp"\n', "includes"),
    ("gateway/keys/a.cpp", '// A.\n#include "observe/log.hpp"\n', None),
    ("gateway/app/serve.cpp", '// A.\n#include "adapters/sqlite/database.hpp"\n', "adapters"),
    ("gateway/app/stores.cpp", '// A.\n#include "adapters/sqlite/database.hpp"\n', None),
    ("gateway/adapters/local/a.cpp", '// A.\n#include "adapters/sqlite/database.hpp"\n', "includes"),
    ("gateway/adapters/sqlite/a.cpp", '// A.\n#include "adapters/sql/cursor.hpp"\n', None),
    ("gateway/adapters/local/a.cpp", '// A.\n#include "adapters/sql/cursor.hpp"\n', "includes"),
    ("gateway/adapters/sql/a.cpp", '// A.\n#include "adapters/sqlite/database.hpp"\n', "includes"),
    ("gateway/request/a.cpp", "// A.\n#include <sqlite3.h>\n", "vendors"),
    ("gateway/keys/a.cpp", "// A.\n#include <yaml-cpp/yaml.h>\n", "vendors"),
    ("admin/a.cpp", '// A.\nawaitable<void> f() {\n    co_await g(Thing{.a = 1});\n}\n', "coroutines"),
    ("admin/a.cpp", '// A.\nawaitable<void> f() {\n    auto r = co_await g(std::optional{Thing{1}});\n}\n', "coroutines"),
    ("admin/a.cpp", "// A.\nawaitable<void> f() {\n    co_await g([x, &y] { return x; });\n}\n", "coroutines"),
    ("admin/a.cpp", "// A.\nawaitable<void> f() {\n    Thing t{co_await g()};\n}\n", "coroutines"),
    ("admin/a.cpp", "// A.\nawaitable<void> f() {\n    if (!co_await g(Thing{1})) {\n        h();\n    }\n}\n", "coroutines"),
    ("admin/a.cpp", '// A.\nawaitable<void> f() {\n    Thing t{1};\n    auto [ec, n] = co_await g(t, "Thing{}");\n    v[i] = h();\n}\n', None),
    ("admin/a.cpp", "// A.\nawaitable<void> f() {\n    if (co_await g(t)) {\n        Thing u{1};\n    }\n    auto h = [&] { return 1; };\n}\n", None),
    ("admin/a.cpp", '// A.\n#include "domain/a.hpp"\nnamespace x {\nvoid f() {\n    Thing t{1};\n    auto r = co_await g(t);\n}\n}\n', None),
    ("admin/a.cpp", "// A.\nawaitable<void> f() {\n    Timer t{co_await this_coro::executor};\n}\n", None),
    ("gateway/domain/a.cpp", "int a;\n", "files"),
    ("gateway/domain/a.cpp", "// A.\n" + "int a;\n" * MAX_LINES, "files"),
    ("gateway/domain/a.cpp", "// A.\n// TODO: later\n", "files"),
    ("gateway/domain/a.cpp", "// A.\n// TODO(#12): later\n", None),
]


def self_test():
    failures = 0
    for path, text, wanted in SAMPLES:
        found = [rule for _, rule, _ in check_file(path, text)]
        if (wanted is None and found) or (wanted is not None and wanted not in found):
            print(f"self-test: wanted {wanted}, found {found} in:\n{text}")
            failures += 1
    return failures


def main():
    if sys.argv[1:] not in ([], ["--self-test"]):
        sys.exit(__doc__)
    if sys.argv[1:] == ["--self-test"]:
        failures = self_test()
        print(f"{len(SAMPLES) - failures} of {len(SAMPLES)} samples judged rightly")
        return 1 if failures else 0
    findings = check_tree()
    print(f"{findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
