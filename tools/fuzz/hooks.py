"""How `cargo xtask fuzz` talks to the demo under test: signed in, about things that are there, and
with checks of what the contract says of every answer."""

import json
import os
import random
import unicodedata
import urllib.error
import urllib.request
import uuid

import schemathesis

# Customers of the test's own, one after the other: the guide's one signs in with fixed codes, which
# stand in the examples and would move or erase the account.
PHONES = (f"+1312806{number:04}" for number in range(1, 10_000))

# Calls that end the session when they succeed.
ENDS_SESSION = {"/auth/logout", "/auth/account", "/auth/phone/confirm"}

# What must never be in an answer: pieces of SQL, of the source and of the machine.
LEAKS = ["SELECT ", "INSERT ", "sqlite", "SQLITE", "panicked", "/src/", ".rs:", "stack backtrace"]

# Fields whose right values no schema can name.
BEYOND_SCHEMA = {
    "phone",
    "phone_number",
    "new_phone",
    "customer_phone",
    "language",
    # Six digits, of any script and with what people paste between them.
    "verification_code",
    # The currency says how many decimals.
    "expected_total",
}

# Refusals of requests that are right by the schema: they depend on what is there.
BEYOND_SCHEMA_CODES = {
    "code_invalid",
    "market_unknown",
    "market_mismatch",
    "market_required",
    "idempotency_key_reused",
    "quantity_limit",
    "version_conflict",
}

chance = random.Random(int(os.environ["FUZZ_SEED"]))


class Session:
    token = None
    phone = next(PHONES)
    ended = set()


def ask(case, method, path, body=None, token=None):
    """Asks the server for something beside the test: the answer's JSON, or None."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(
        case.operation.base_url.rstrip("/") + path,
        data=None if body is None else json.dumps(body).encode(),
        headers=headers,
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError:
        return None


def new_code(case, phone):
    sent = ask(case, "POST", "/auth/send-code", {"phone": phone})
    return sent and sent["demo_code"]


def token(case):
    """The token of the customer, who signs in if need be."""
    if Session.token is None:
        code = new_code(case, Session.phone)
        proof = {"phone": Session.phone, "verification_code": code}
        Session.token = ask(case, "POST", "/auth/verify-code", proof)["access_token"]
    return Session.token


@schemathesis.auth(refresh_interval=None)
class SignIn:
    def get(self, case, context):
        return token(case)

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


def is_right(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def ids_of(case, path):
    """Ids of things that the customer has and `path` is about."""
    if path.startswith("/cart/items"):
        lists = ask(case, "GET", "/cart", token=token(case))
        return [line["id"] for line in lists["items"]]
    if path.startswith("/wishlist"):
        lists = ask(case, "GET", "/wishlist", token=token(case))
        return [wish["product_id"] for wish in lists["items"]]
    if "orders" in path:
        lists = ask(case, "GET", "/orders?limit=5", token=token(case))
        return [order["id"] for order in lists["orders"]]
    if "addresses" in path:
        lists = ask(case, "GET", "/profile/addresses", token=token(case))
        return [address["id"] for address in lists["addresses"]]
    return [1, 2, 15]


def spoil_integers(case):
    """A text of digits is read as the integer it is, though the schema has none: it would not be
    wrong."""
    body = case.body if isinstance(case.body, dict) else {}
    for name in ("sku_id", "product_id", "quantity"):
        if isinstance(body.get(name), str) and body[name].isdigit():
            body[name] += "x"


def fill(case):
    """Makes a right request be about something that is there, most of the time. Wrong ones stay as
    they are: what is wrong with them is noted beside them."""
    path, headers = case.operation.path, case.headers
    if "X-Market" in headers and chance.random() < 0.9:
        del headers["X-Market"]
    if "Idempotency-Key" in headers and chance.random() < 0.7:
        headers["Idempotency-Key"] = str(uuid.UUID(int=chance.getrandbits(128)))
    if "If-Match" in headers and chance.random() < 0.7:
        del headers["If-Match"]
    for name in case.path_parameters or {}:
        ids = ids_of(case, path) if chance.random() < 0.7 else []
        if ids:
            case.path_parameters[name] = chance.choice(ids)
    body = case.body
    if not isinstance(body, dict) or chance.random() < 0.3:
        return
    if "sku_id" in body:
        body["sku_id"] = chance.choice([1, 2, 3, 42])
    if "product_id" in body:
        body["product_id"] = chance.choice([1, 2, 15])
    if path in ("/auth/send-code", "/auth/send-verification"):
        body["phone"] = f"+1312805{chance.randrange(100, 9000)}"
    if path == "/auth/verify-code":
        body["phone"] = f"+1312805{chance.randrange(1000, 9000)}"
        body["verification_code"] = new_code(case, body["phone"]) or "000000"
    if path == "/auth/account":
        body["verification_code"] = new_code(case, Session.phone) or "000000"
        body["even_open_orders"] = True
    if path in ("/auth/phone", "/auth/phone/confirm"):
        body["new_phone"] = f"+1312805{chance.randrange(1000, 9000)}"
    if path == "/auth/phone/confirm":
        sent = ask(case, "POST", "/auth/phone", {"new_phone": body["new_phone"]}, token(case))
        body["verification_code"] = sent["demo_code"] if sent else "000000"


@schemathesis.hook
def before_call(context, case, kwargs):
    header = (case.headers or {}).get("Authorization", "")
    if header.removeprefix("Bearer ") in Session.ended:
        case.headers["Authorization"] = f"Bearer {token(case)}"
    if is_right(case):
        fill(case)
    else:
        spoil_integers(case)


@schemathesis.hook
def after_call(context, case, response):
    if case.operation.path in ENDS_SESSION and response.status_code == 200:
        Session.ended.add(Session.token)
        Session.token = None
        if case.operation.path == "/auth/phone/confirm":
            # The phone that was left opens no account while the change can be stopped.
            Session.phone = next(PHONES)


def problem_of(response):
    if "application/problem+json" not in response.headers.get("content-type", [""])[0]:
        return None
    return response.json()


@schemathesis.check
def says_what_is_wrong(ctx, response, case):
    """Every refusal is a problem in the contract's form, and nothing of the inside is told."""
    request_id = response.headers.get("x-request-id", [None])[0]
    assert request_id, "no X-Request-Id"
    if response.status_code < 400:
        return
    problem = problem_of(response)
    assert problem, f"{response.status_code} is no problem+json"
    assert problem["status"] == response.status_code, problem
    assert problem["request_id"] == request_id, problem
    for member in ("type", "title", "detail", "code"):
        assert problem[member], f"{member} is empty"
    if response.status_code == 401:
        assert "www-authenticate" in response.headers, "a 401 without WWW-Authenticate"
    else:
        assert "www-authenticate" not in response.headers, "a challenge without a 401"
    if response.status_code in (429, 503):
        assert int(response.headers["retry-after"][0]) >= 1
    if problem["code"] == "validation_failed":
        assert problem["errors"], "no field is named"
    text = response.content.decode()
    leak = next((leak for leak in LEAKS if leak in text), None)
    assert leak is None, f"{leak} is told"


# Letters and marks that cannot be seen.
BLANK = "\u034f\u115f\u1160\u3164\uffa0\u2065"


def is_odd_text(value):
    """Blank, or with characters that are never let into a text."""
    is_odd = lambda c: unicodedata.category(c) in ("Cc", "Cs", "Cf", "Zl", "Zp") or c in BLANK
    return isinstance(value, str) and (not value.strip() or any(map(is_odd, value)))


def no_schema_can_say(case, error):
    field = error["field"]
    if field.split(".")[-1] in BEYOND_SCHEMA:
        return True
    if case.operation.path.startswith("/orders") and field in ("items", "use_cart"):
        # They depend on each other.
        return True
    if field == "quantity" and case.operation.path == "/cart/items/{id}":
        # In the body or in the query: one of them.
        return "is missing" in error["detail"]
    body = case.body if isinstance(case.body, dict) else {}
    return is_odd_text({**(case.query or {}), **body}.get(field))


@schemathesis.check
def refuses_only_what_no_schema_can_say(ctx, response, case):
    """What openapi.json calls right is not called malformed."""
    if not is_right(case) or response.status_code not in (400, 412, 422):
        return
    problem = problem_of(response)
    if problem["code"] == "validation_failed":
        wrong = [error for error in problem["errors"] if not no_schema_can_say(case, error)]
        assert not wrong, f"right by the schema, but: {wrong}"
    else:
        assert problem["code"] in BEYOND_SCHEMA_CODES, f"right by the schema, but: {problem}"
