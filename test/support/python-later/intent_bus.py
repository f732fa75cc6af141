"""Stands in for a later Python SDK: one whose methods take claim tokens, results, namespaces and names of workers."""

import importlib.util
import os

_path = os.path.join(os.path.dirname(__file__), "..", "python", "intent_bus.py")
_spec = importlib.util.spec_from_file_location("intent_bus_1_2_0", _path)
_first = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_first)

IntentBusError = _first.IntentBusError
IntentBusAuthError = _first.IntentBusAuthError
IntentBusRateLimitError = _first.IntentBusRateLimitError


class IntentClient(_first.IntentClient):
    def claim(self, goal=None, publisher=None, namespace="default", worker_id=None):
        given = {"goal": goal, "namespace": namespace, "publisher": publisher, "worker_id": worker_id}
        query = "&".join(f"{name}={_first.quote(value, safe='')}" for name, value in given.items() if value)
        return self._send("POST", f"/claim?{query}")

    def fail(self, intent_id, claim_token, error="Worker failure"):
        return self._send("POST", f"/fail/{intent_id}", {"claim_token": claim_token, "error": error})

    def fulfill(self, intent_id, claim_token, result=None):
        return self._send("POST", f"/fulfill/{intent_id}", {"claim_token": claim_token, "result": result})
