#!/usr/bin/env python3
"""A worker for Intent Bus with the protocol's Python SDK: pip install intent-bus

    Run it:   python3 worker-sdk.py
    Stop it:  Ctrl+C, and once more if the running action need not finish

Version 1.2.0 of the SDK sends no claim tokens, stores no results and cannot extend leases. So the bus must allow such workers,
by BUS_ALLOW_TOKENLESS_WORKERS=true, requests must come from the address that claimed, and an action must end within one lease:
one that takes longer is told to stop, and fails. A later SDK that takes tokens and results is given them.

A payload chooses an action by its name, {"action": "disk"}, and gives it data. No part of it ever becomes a command.
"""

import inspect
import json
import os
import re
import shutil
import signal
import socket
import stat
import sys
import threading
import time
from concurrent.futures import Future, wait as wait_for
from urllib.parse import urlsplit

try:
    from intent_bus import IntentBusAuthError, IntentBusError, IntentBusRateLimitError, IntentClient
except ImportError:
    sys.exit("This worker needs the SDK: pip install intent-bus")

# ---- Configuration ---------------------------------------------------------------------------------------------------

BUS_URL = os.environ.get("INTENT_BUS_URL") or "http://127.0.0.1:7610"
GOAL = "greet"
NAMESPACE = "default"
# The key: this one, or if empty what INTENT_API_KEY holds, or else what stands in KEY_FILE.
API_KEY = ""
KEY_FILE = "~/.apikey"
# The root certificate of a bus that is shared over HTTPS: this file, or if empty the one that INTENT_BUS_CA names.
CA_FILE = ""
# Results that the bus has not confirmed yet; an intent that comes again is settled with them.
STATE_DIR = os.environ.get("XDG_STATE_HOME", "~/.local/state") + "/intent-bus"
# Seconds that a running action has to finish when the worker is told to stop.
STOP_SECONDS = 10

# ---- Actions: all that this worker can do ----------------------------------------------------------------------------
# An action is given the intent and an event that is set when it should stop, because its time is up or the worker ends.
# What it returns is the result. An exception fails the intent, with its text as the reason.


def echo(intent, stop):
    return intent["payload"]


def disk(intent, stop):
    return shutil.disk_usage(os.path.expanduser("~"))._asdict()


def wait(intent, stop):
    """{"action": "wait", "seconds": 20}"""
    seconds = intent["payload"].get("seconds")
    if type(seconds) not in (int, float) or not 0 <= seconds <= 3600:
        raise ValueError("seconds must be a number from 0 to 3600.")
    if stop.wait(seconds):
        raise InterruptedError("There was no time to wait so long.")
    return {"waited": seconds}


ACTIONS = {"echo": echo, "disk": disk, "wait": wait}


def choose(payload):
    """The action that the payload names, or `echo` when it names none."""
    name = payload.get("action", "echo") if isinstance(payload, dict) else "echo"
    if not isinstance(name, str) or name not in ACTIONS:
        raise LookupError(f"Unknown action. This worker knows: {', '.join(ACTIONS)}.")
    return ACTIONS[name]


# ---- The worker ------------------------------------------------------------------------------------------------------

# Seconds between claims; a generated key has 60 requests a minute for all that it does.
POLL = 2
# The part of a lease that an action may take. The rest is for telling the bus.
SHARE = 0.8
WRONG_KEY = "The bus does not know this key, or refused it: take the right one from the interface, under Keys."
NO_TOKENS = (
    "The bus wants claim tokens, which this version of the SDK does not send. "
    "Start the bus with BUS_ALLOW_TOKENLESS_WORKERS=true, or use worker.py, which needs no SDK."
)


def log(text):
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)


def read_key():
    """The key, or the end with a sentence that says where one comes from."""
    # Taken out of the environment, because what actions start need not know it.
    given = os.environ.pop("INTENT_API_KEY", "")
    if API_KEY or given:
        return API_KEY or given
    try:
        with open(os.path.expanduser(KEY_FILE), encoding="utf-8") as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                print(f"Others may read {file.name}. Run: chmod 600 {file.name}", file=sys.stderr)
            return file.read().strip() or sys.exit(f"{file.name} is empty.")
    except OSError as error:
        sys.exit(
            f"No key: {error}. Set INTENT_API_KEY, or put it into that file; the interface has keys under Keys. "
            'On a machine that is paired with the bus, run this first: eval "$(intent-bus buses env)"'
        )


def known(method, **values):
    """Those of the values that this version of the SDK takes."""
    parameters = inspect.signature(method).parameters
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return {name: value for name, value in values.items() if takes_all or name in parameters}


class Results:
    """What actions came to, kept in a file each until the bus has it. Trouble with that is said, and ends no worker."""

    def __init__(self, folder):
        self.folder = os.path.expanduser(folder)
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        except OSError as error:
            sys.exit(f"Results cannot be kept: {error}. STATE_DIR must be a folder that you may write to.")

    def path(self, intent):
        # The id becomes the name of a file.
        if not re.fullmatch("[0-9A-Za-z]+", intent["id"]):
            sys.exit("What answers there is no Intent Bus.")
        return os.path.join(self.folder, intent["id"])

    def read(self, intent):
        """JSON text, or None."""
        try:
            with open(self.path(intent), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            log(f"whether {intent['id']} was done before cannot be known: {error}")
            return None

    def write(self, intent, text):
        try:
            with open(self.path(intent) + ".new", "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(file.name, self.path(intent))
        except OSError as error:
            # The bus may well take it all the same.
            log(f"what {intent['id']} came to cannot be kept, and is done again if the bus does not hear of it now: {error}")

    def forget(self, intent):
        try:
            os.remove(self.path(intent))
        except FileNotFoundError:
            pass
        except OSError as error:
            log(f"what {intent['id']} came to cannot be forgotten, and settles it again if it is retried: {error}")


class Worker:
    def __init__(self, bus, results):
        self.bus, self.results = bus, results
        self.stopping = threading.Event()
        self.stops_at = float("inf")

    def stop(self, number, _frame):
        """The first signal gives a running action some time; the next one ends the program."""
        signal.signal(number, signal.SIG_DFL)
        self.stops_at = time.monotonic() + STOP_SECONDS
        self.stopping.set()

    def run(self):
        if NAMESPACE != "default" and not known(self.bus.claim, namespace=NAMESPACE):
            sys.exit("This version of the SDK knows no namespace but `default`: use worker.py.")
        log(f"asking {BUS_URL} for {GOAL}")
        query = known(self.bus.claim, goal=GOAL, namespace=NAMESPACE, worker_id=socket.gethostname()[:64])
        is_checked, failures = False, 0
        while not self.stopping.is_set():
            try:
                if not is_checked:
                    self.check_tokens()
                    is_checked = True
                intent = self.bus.claim(**query)
                failures = 0
            except IntentBusAuthError as error:
                sys.exit(f"{WRONG_KEY} ({error})")
            except IntentBusRateLimitError:
                # The SDK does not say for how long; a window has a minute.
                log("too many requests with this key")
                self.stopping.wait(30)
                continue
            except (IntentBusError, ValueError, RecursionError) as error:
                # The last two: JSON that Python cannot read. The SDK tells no id by which the intent could be failed.
                failures = min(failures + 1, 5)
                log(error)
                self.stopping.wait(2**failures - 1)
                continue
            if intent is None:
                self.stopping.wait(POLL)
            else:
                self.work(intent)

    def check_tokens(self):
        """Ends the program where settling would be refused: before any work is done in vain."""
        if known(self.bus.fail, claim_token=""):
            return
        try:
            self.bus.fail("0" * 32, "not an intent")
        except IntentBusError as error:
            if "claim_token" in str(error):
                sys.exit(NO_TOKENS)
            if "not found" not in str(error):
                raise

    def work(self, intent):
        """Runs the action for the intent within its lease, and settles it."""
        claimed = time.monotonic()
        ends = claimed + intent.get("claim_timeout", 60)
        result = self.results.read(intent)
        if result is not None:
            log(f"claimed {intent['id']} again: what it came to is known")
        else:
            try:
                action = choose(intent["payload"])
                log(f"claimed {intent['id']}: {action.__name__}")
                result = json.dumps(self.act(action, intent, claimed + SHARE * (ends - claimed)), allow_nan=False)
            except Exception as error:
                return self.fail(intent, str(error) or type(error).__name__, ends)
            self.results.write(intent, result)
        if self.settle(self.bus.fulfill, intent, ends, result=json.loads(result)):
            self.results.forget(intent)
            log(f"fulfilled {intent['id']}")

    def act(self, action, intent, until):
        """What the action returns or raises. It is told to stop when its time or the worker's is up."""
        stop, outcome = threading.Event(), Future()

        def run():
            try:
                outcome.set_result(action(intent, stop))
            except BaseException as error:
                outcome.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        while not wait_for([outcome], timeout=0.2).done:
            if time.monotonic() > min(until, self.stops_at):
                stop.set()
        return outcome.result()

    def fail(self, intent, reason, ends):
        if self.settle(self.bus.fail, intent, ends, error=reason[:500]):
            log(f"failed {intent['id']}: {reason!r}")

    def settle(self, method, intent, ends, **fields):
        """Tells the bus, again and again while the lease lasts. False when it could not be told."""
        problem = "the lease is over"
        while time.monotonic() < ends:
            try:
                method(intent["id"], **known(method, claim_token=intent.get("claim_token"), **fields))
                return True
            except IntentBusError as error:
                problem = str(error)
                if "claim_token" in problem:
                    sys.exit(NO_TOKENS)
                if "not found" in problem or isinstance(error, IntentBusAuthError) or self.stopping.wait(2):
                    break
        log(f"not settled {intent['id']}: {problem}")
        return False


def trust():
    """Names the file of authorities to what may carry the SDK's requests, urllib or requests: both look there."""
    path = CA_FILE or os.environ.get("INTENT_BUS_CA", "")
    if path:
        os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"] = os.path.expanduser(path)


def bypass_proxies():
    """A proxy of the environment, which the SDK would ask, is no place for the key."""
    excepted = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    host = urlsplit(BUS_URL).hostname
    os.environ["no_proxy"] = f"{excepted},{host}" if excepted else host


if __name__ == "__main__":
    trust()
    bypass_proxies()
    worker = Worker(IntentClient(base_url=BUS_URL, api_key=read_key()), Results(STATE_DIR))
    signal.signal(signal.SIGINT, worker.stop)
    signal.signal(signal.SIGTERM, worker.stop)
    worker.run()
    log("stopped")
