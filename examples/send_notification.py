#!/usr/bin/env python3
"""A worker for Intent Bus that shows notifications: one for each intent of the goal `send_notification`.

It needs Python 3.8 or later, and what shows notifications: termux-notification on Android, notify-send on Linux; macOS and
Windows have it.

    Run it:   python3 send_notification.py
    Stop it:  Ctrl+C

A payload looks like {"message": "The backup is done."}. The message is text to whatever shows it, never a command.
"""

import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, wait as wait_for
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

# ---- Configuration ---------------------------------------------------------------------------------------------------

BUS_URL = os.environ.get("INTENT_BUS_URL") or "http://127.0.0.1:7610"
GOAL = "send_notification"
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
# Stands above or beside the message.
TITLE = "Intent Bus"
MAX_LENGTH = 200

# ---- Actions: all that this worker can do ----------------------------------------------------------------------------
# A program that is there, and how it is told what to show. The message is an argument of its own or a variable, never a part
# of a script; what stands before it keeps one that begins with a dash from being taken for an option.

APPLESCRIPT = ["on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"]
POWERSHELL = """$ErrorActionPreference = 'Stop'
if (Get-Module -ListAvailable BurntToast) { New-BurntToastNotification -Text $env:INTENT_TITLE, $env:INTENT_MESSAGE; exit }
$env:INTENT_MESSAGE | msg.exe * /time:30
exit $LASTEXITCODE"""


def command(message):
    if shutil.which("termux-notification"):
        return ["termux-notification", "--title", TITLE, "--content", message]
    if shutil.which("notify-send"):
        # As the summary, because a body may hold markup.
        return ["notify-send", "--app-name", TITLE, "--", message]
    if shutil.which("osascript"):
        return ["osascript", *(word for line in APPLESCRIPT for word in ("-e", line)), TITLE, message]
    if shutil.which("powershell"):
        return ["powershell", "-NoProfile", "-NonInteractive", "-Command", POWERSHELL]
    raise RuntimeError("There is no program here that shows notifications.")


def clean(text):
    """On one line, without control and other invisible characters, and not too long."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())[:MAX_LENGTH]


def send_notification(intent, stop):
    message = intent["payload"].get("message") if isinstance(intent["payload"], dict) else None
    if not isinstance(message, str) or not clean(message):
        raise ValueError('The payload must be like {"message": "text"}.')
    shown = clean(message)
    arguments, variables = command(shown), {"INTENT_TITLE": TITLE, "INTENT_MESSAGE": shown}
    done = subprocess.run(arguments, env={**os.environ, **variables}, capture_output=True, text=True, timeout=30)
    if done.returncode != 0:
        raise RuntimeError(f"{arguments[0]}: {done.stderr.strip() or f'ended with {done.returncode}'}")
    return {"shown": shown}


def choose(payload):
    """Every payload is for this action."""
    return send_notification


# ---- The worker; the same lines stand in every starter for Python's standard library ---------------------------------

# Seconds: how long a claim waits at the bus, how long any answer may take, the rest between claims where no bus waits.
WAIT, PATIENCE, POLL = 30, 10, 2
# SPEC 7.4: the seconds that an extension may ask for.
MIN_EXTENSION, MAX_EXTENSION = 10, 3600
# What urllib raises when there is no answer.
NO_ANSWER = (OSError, http.client.HTTPException)
WORKER_ID = re.sub(r"[^A-Za-z0-9_.:-]", "", socket.gethostname())[:64]


def log(text):
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)


def read_key():
    """The key, or the end with a sentence that says where one comes from."""
    # Taken out of the environment, because what actions start need not know it.
    given = os.environ.pop("INTENT_API_KEY", "")
    key = API_KEY or given
    path = os.path.expanduser(KEY_FILE)
    if not key:
        try:
            with open(path, encoding="utf-8") as file:
                key = file.read().strip()
                if os.name == "posix" and os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    print(f"Others may read {path}. Run: chmod 600 {path}", file=sys.stderr)
        except OSError as error:
            sys.exit(
                f"No key: {error}. Set INTENT_API_KEY, or put it into that file; the interface has keys under Keys. "
                'On a machine that is paired with the bus, run this first: eval "$(intent-bus buses env)"'
            )
    if not re.fullmatch("[!-~]([ -~]*[!-~])?", key):
        sys.exit("The key is empty, or has characters that no key has.")
    return key


def trust():
    """The authorities that are trusted: those in the file that is named, or else the system's."""
    path = os.path.expanduser(CA_FILE or os.environ.get("INTENT_BUS_CA", ""))
    try:
        return ssl.create_default_context(cafile=path or None)
    except OSError as error:
        sys.exit(f"The certificate {path} cannot be used: {error}.")


class NoRedirects(HTTPRedirectHandler):
    """A redirect is an answer like any other: followed, it would take the key elsewhere."""

    def redirect_request(self, *_):
        return None


class Answer:
    """What the bus said: status, body as JSON, and how many seconds it wants to be left alone."""

    def __init__(self, response):
        self.text = response.read().decode("utf-8", "replace")
        self.status = response.getcode()
        retry_after = response.headers.get("Retry-After", "")
        self.retry_after = int(retry_after) if retry_after.isdecimal() else None
        try:
            self.json = json.loads(self.text)
        # Nothing, no JSON, or some that Python cannot read: too deep, or with numbers that are too long.
        except (ValueError, RecursionError):
            self.json = None

    @property
    def is_trouble(self):
        """Whether the same request may be answered otherwise in a while."""
        return self.status in (408, 429) or self.status >= 500

    @property
    def refusal(self):
        try:
            return self.json["error"]["message"]
        except (KeyError, TypeError):
            return f"it answered {self.status}"


class Bus:
    def __init__(self, url, key):
        self.url = url.rstrip("/")
        self.key = key
        # A proxy of the environment is no place for the key.
        self.opener = build_opener(NoRedirects, ProxyHandler({}), HTTPSHandler(context=trust()))

    def post(self, path, query=None, body=None, patience=PATIENCE):
        """Sends a signed request (SPEC 5.2). Raises one of NO_ANSWER when no answer comes within so many seconds."""
        # In the order of their names and with all but A-Za-z0-9-._~ encoded, as signatures have it.
        target = path if query is None else path + "?" + urlencode(sorted(query.items()), quote_via=quote, safe="")
        data = b"" if body is None else to_json(body).encode()
        now, nonce = str(int(time.time())), secrets.token_hex(16)
        signed = "\n".join(["POST", target, now, nonce, ""]).encode() + data
        headers = {
            "X-API-KEY": self.key,
            "X-Timestamp": now,
            "X-Nonce": nonce,
            "X-Signature": hmac.new(self.key.encode(), signed, hashlib.sha256).hexdigest(),
            "X-Worker-ID": WORKER_ID,
            "Content-Type": "application/json",
        }
        try:
            with self.opener.open(Request(self.url + target, data, headers), timeout=patience) as response:
                return Answer(response)
        except HTTPError as error:
            with error:
                return Answer(error)


class Lease:
    """The hold on a claimed intent, extended from time to time by whoever calls `keep`."""

    def __init__(self, bus, intent):
        self.bus, self.intent = bus, intent
        length = intent["claim_timeout"]
        self.seconds = min(max(length, MIN_EXTENSION), MAX_EXTENSION)
        now = time.monotonic()
        self.ends = now + length
        # The shortest extension is longer than a very short lease.
        self.due = now + (self.seconds / 3 if length >= MIN_EXTENSION else 0)

    def keep(self):
        """Extends the lease if it is time to. False when it is lost."""
        now = time.monotonic()
        if self.due <= now < self.ends:
            self._extend(now)
        return time.monotonic() < self.ends

    def _extend(self, now):
        try:
            answer = self.ask("extend_claim", seconds=self.seconds)
        except NO_ANSWER:
            self.due = now + 1
            return
        if answer.status == 200:
            self.ends, self.due = now + self.seconds, now + self.seconds / 3
        elif answer.is_trouble:
            self.due = now + (answer.retry_after or 1)
        else:
            self.ends = now

    def ask(self, what, **fields):
        """`extend_claim`, `fulfill` or `fail`, with no more patience than the lease has time."""
        body = {"claim_token": self.intent["claim_token"], **fields}
        left = max(1, self.ends - time.monotonic())
        return self.bus.post(f"/{what}/{self.intent['id']}", body=body, patience=min(PATIENCE, left))


class Results:
    """What actions came to, kept in a file each until the bus has it. Trouble with that is said, and ends no worker."""

    def __init__(self, folder):
        self.folder = os.path.expanduser(folder)
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            for entry in os.scandir(self.folder):
                # The bus has forgotten intents that are so old.
                if entry.is_file() and entry.stat().st_mtime < time.time() - 8 * 86_400:
                    os.remove(entry.path)
        except OSError as error:
            sys.exit(f"Results cannot be kept: {error}. STATE_DIR must be a folder that you may write to.")

    def path(self, intent):
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
        """The first signal ends what only waits and gives a running action some time; the next one ends the program."""
        signal.signal(number, signal.SIG_DFL)
        self.stops_at = time.monotonic() + STOP_SECONDS
        self.stopping.set()

    def run(self):
        log(f"asking {self.bus.url} for {GOAL}")
        query = {"goal": GOAL, "namespace": NAMESPACE, "wait": WAIT}
        failures = 0
        while not self.stopping.is_set():
            asked = time.monotonic()
            claim = in_background(self.bus.post, "/claim", query, None, WAIT + PATIENCE)
            while not is_done(claim):
                if self.stopping.is_set():
                    return
            try:
                answer = claim.result()
            except NO_ANSWER as error:
                failures = min(failures + 1, 5)
                log(f"{self.bus.url} does not answer: {error}")
                self.stopping.wait(2**failures - 1)
                continue
            failures = min(failures + 1, 5) if answer.is_trouble else 0
            if answer.status == 200:
                self.work(claimed_intent(answer))
            elif answer.status == 204:
                # Answered at once, the bus does not know of waiting, or cannot now: then rest here.
                if time.monotonic() - asked < POLL:
                    self.stopping.wait(max(answer.retry_after or 0, POLL))
            elif answer.is_trouble:
                log(f"{self.bus.url}: {answer.refusal}")
                self.stopping.wait(answer.retry_after or 2**failures - 1)
            else:
                sys.exit(sentence_for(answer))

    def work(self, intent):
        """Runs the action for the intent, keeping the lease, and settles it."""
        lease = Lease(self.bus, intent)
        result = self.results.read(intent)
        if result is not None:
            log(f"claimed {intent['id']} again: what it came to is known")
        else:
            try:
                if "payload" not in intent:
                    raise ValueError("Python cannot read this payload.")
                action = choose(intent["payload"])
                log(f"claimed {intent['id']}: {action.__name__}")
                result = to_json(self.act(action, intent, lease))
            except Exception as error:
                return self.fail(lease, str(error) or type(error).__name__)
            self.results.write(intent, result)
        answer = self.settle(lease, "fulfill", result=json.loads(result))
        if answer is None or answer.is_trouble:
            return log(f"not fulfilled {intent['id']}: the lease is lost, or the bus is away")
        if answer.status not in (200, 400, 413):
            return log(f"not fulfilled {intent['id']}: {answer.refusal}")
        self.results.forget(intent)
        if answer.status != 200:
            return self.fail(lease, answer.refusal)
        log(f"fulfilled {intent['id']}")

    def act(self, action, intent, lease):
        """What the action returns or raises. It is told to stop when its lease is lost or the worker's time is up."""
        stop = threading.Event()
        running = in_background(action, intent, stop)
        while not is_done(running):
            if not lease.keep() or time.monotonic() > self.stops_at:
                stop.set()
        return running.result()

    def fail(self, lease, reason):
        answer = self.settle(lease, "fail", error=reason[:500])
        log(f"{'failed' if answer and answer.status == 200 else 'not failed'} {lease.intent['id']}: {reason!r}")

    def settle(self, lease, what, **fields):
        """Sends it until there is an answer. None when the lease is lost before, or the worker ends."""
        while lease.keep():
            try:
                answer = lease.ask(what, **fields)
                if not answer.is_trouble or self.stopping.is_set():
                    return answer
                self.stopping.wait(answer.retry_after or 1)
            except NO_ANSWER:
                if self.stopping.wait(1):
                    return None
        return None


def claimed_intent(answer):
    """The intent in an answer, or of one with a payload that Python cannot read what it takes to settle it."""
    intent = answer.json
    if intent is None:
        found = re.match(r'\{"id":"(\w+)"', answer.text)
        # The payload stands before the token; what looks like one in there is not the last.
        tokens = re.findall(r'"claim_token":"(\w+)"', answer.text)
        intent = {"id": found[1], "claim_token": tokens[-1], "claim_timeout": MIN_EXTENSION} if found and tokens else {}
    # The id becomes the name of a file.
    if not re.fullmatch("[0-9A-Za-z]+", intent.get("id", "")):
        sys.exit("What answers there is no Intent Bus.")
    return intent


def to_json(value):
    """JSON text without escapes that it can do without: they would count against the size that a result may have."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Half of a surrogate pair has no UTF-8, but an escape.
    return text.encode("utf-8", "backslashreplace").decode()


def in_background(function, *arguments):
    """Runs it in a thread that does not keep the program from ending: its outcome, once there is one."""
    outcome = Future()

    def run():
        try:
            outcome.set_result(function(*arguments))
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome


def is_done(outcome):
    """Waits a moment for it, so short that signals and leases are seen to in between, on Windows too."""
    return bool(wait_for([outcome], timeout=0.2).done)


def sentence_for(answer):
    if answer.status == 401:
        return "The bus does not know this key. Take the right one from the interface, under Keys."
    if answer.status == 403 and '"invalid_signature"' in answer.text:
        return f"The bus refused the signature: {answer.refusal} Is the clock of this machine right?"
    return f"The bus refused the claim: {answer.refusal}"


if __name__ == "__main__":
    worker = Worker(Bus(BUS_URL, read_key()), Results(STATE_DIR))
    signal.signal(signal.SIGINT, worker.stop)
    signal.signal(signal.SIGTERM, worker.stop)
    worker.run()
    log("stopped")
