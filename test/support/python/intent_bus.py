"""Stands in for the protocol's Python SDK 1.2.0 where that is not installed: the same class, methods and errors, and like it
neither claim tokens nor results nor extensions. Written from the SDK's description."""

import hashlib
import hmac
import json
import os
import secrets
import time
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

__version__ = "1.2.0"


class IntentBusError(Exception):
    """Anything that went wrong."""


class IntentBusAuthError(IntentBusError):
    """401 and 403."""


class IntentBusRateLimitError(IntentBusError):
    """429."""


class IntentClient:
    def __init__(self, base_url="http://127.0.0.1:7610", api_key=None, timeout=10.0, user_agent="intent-bus-sdk/1.2.0"):
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self.user_agent = user_agent
        self.api_key = api_key or os.environ.get("INTENT_API_KEY") or self._key_from_file()

    def _key_from_file(self):
        try:
            with open(os.path.expanduser("~/.apikey"), encoding="utf-8") as file:
                return file.read().strip()
        except FileNotFoundError:
            raise IntentBusAuthError("No API key found.") from None

    def _send(self, method, path, body=None, idempotency_key=None):
        data = b""
        if body is not None:
            data = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        now, nonce = str(int(time.time())), secrets.token_hex(16)
        signed = b"\n".join([method.encode(), path.encode(), now.encode(), nonce.encode(), data])
        headers = {
            "X-API-KEY": self.api_key,
            "X-Timestamp": now,
            "X-Nonce": nonce,
            "X-Signature": hmac.new(self.api_key.encode(), signed, hashlib.sha256).hexdigest(),
            "Content-Type": "application/json",
            "User-Agent": self.user_agent,
        }
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        request = Request(self.base_url + path, data or None, headers, method=method)
        try:
            with urlopen(request, timeout=self.timeout) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except HTTPError as error:
            problem = json.loads(error.read())["error"]
            kind = {401: IntentBusAuthError, 403: IntentBusAuthError, 429: IntentBusRateLimitError}.get(error.code, IntentBusError)
            raise kind(f"{problem['code']}: {problem['message']}") from None
        except OSError as error:
            raise IntentBusError(f"Network error: {error}") from error

    def publish(self, goal, payload, visibility="private", idempotency_key=None):
        body = {"goal": goal, "payload": payload, "visibility": visibility}
        return self._send("POST", "/intent", body, idempotency_key or secrets.token_hex(16))

    def claim(self, goal=None, publisher=None):
        given = {"goal": goal, "publisher": publisher}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items() if value)
        return self._send("POST", "/claim" + (f"?{query}" if query else ""))

    def fail(self, intent_id, error="Worker failure"):
        return self._send("POST", f"/fail/{intent_id}", {"error": error})

    def fulfill(self, intent_id):
        return self._send("POST", f"/fulfill/{intent_id}")

    def set(self, key, value, ttl=600, idempotency_key=None):
        return self._send("POST", f"/set/{key}", {"value": value, "ttl": ttl}, idempotency_key or secrets.token_hex(16))

    def get(self, key):
        return self._send("GET", f"/get/{key}")["value"]

    def listen(self, goal, handler, poll_interval=5.0, publisher=None):
        while True:
            intent = self.claim(goal=goal, publisher=publisher)
            if intent is not None:
                try:
                    if handler(intent["payload"]) is not False:
                        self.fulfill(intent["id"])
                except Exception as error:
                    self.fail(intent["id"], str(error))
            time.sleep(poll_interval)
