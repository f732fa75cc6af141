#!/usr/bin/env bash
# A worker for Intent Bus: claims intents of one goal, runs one of the actions below for each, and settles it.
# It needs bash, curl and jq.
#
#   Run it:   bash worker.sh
#   Stop it:  Ctrl+C, and once more if the running action need not finish
#
# A payload chooses an action by its name, {"action":"disk"}, and gives it data. No part of it ever becomes a command.

# ---- Configuration ---------------------------------------------------------------------------------------------------

BUS_URL="${INTENT_BUS_URL:-http://127.0.0.1:7610}"
GOAL=greet
NAMESPACE=default
# The key: this one, or if empty what INTENT_API_KEY holds, or else what stands in KEY_FILE.
API_KEY=
KEY_FILE=~/.apikey
# Of a bus that is shared over HTTPS: its pin, sha256//..., or if empty INTENT_BUS_PIN; or else the file of its root certificate, or
# if empty the one that INTENT_BUS_CA names.
PIN=
CA_FILE=
# yes: requests are signed, for a bus that demands it. Needs openssl.
SIGN=no
# Results that the bus has not confirmed yet; an intent that comes again is settled with them.
STATE_DIR="${XDG_STATE_HOME:-$HOME/.local/state}/intent-bus"
# Seconds that a running action has to finish when the worker is told to stop.
STOP_SECONDS=10

# ---- Actions: all that this worker can do ----------------------------------------------------------------------------
# A payload arrives as JSON on standard input. What an action prints is the result: JSON, or else text. One that ends with
# an error fails the intent, with what it wrote to standard error as the reason.

ACTIONS='echo disk wait'
# Runs when a payload names no action.
DEFAULT_ACTION=echo

action_echo() {
  cat
}

action_disk() {
  df -h
}

# {"action":"wait","seconds":90}
action_wait() {
  local seconds
  seconds="$(jq -r '.seconds | numbers | select(. >= 0 and . <= 3600)')"
  [ -n "$seconds" ] || { echo 'seconds must be a number from 0 to 3600.' >&2; return 1; }
  sleep "$seconds"
  printf '{"waited":%s}' "$seconds"
}

# ---- The worker ------------------------------------------------------------------------------------------------------

set -u

# Seconds: how long a claim waits at the bus, how long any answer may take, the rest between claims where no bus waits.
WAIT=30 PATIENCE=10 POLL=2
# SPEC 7.4: the seconds that an extension may ask for.
MIN_EXTENSION=10 MAX_EXTENSION=3600
WORKER_ID="$(hostname | tr -cd 'A-Za-z0-9_.:-' | cut -c 1-64)"

# How often the worker was told to stop.
STOPS=0
# Processes of the moment: a claim, a rest between claims, an action, and what keeps its lease.
CLAIM='' REST='' ACTION='' KEEPER=''

log() {
  printf '%s %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$*"
}

die() {
  printf 'worker.sh: %s\n' "$*" >&2
  exit 2
}

# PROCESS: waits until it has ended, however many signals come meanwhile.
await() {
  local seen=$STOPS
  wait "$1"
  # Bash 5.2 may wait in vain a second time: for what ended just when the signal came.
  [ "$seen" -eq "$STOPS" ] || while kill -0 "$1"; do sleep 0.1; done
} 2> /dev/null

# SECONDS: does nothing for so long, or until told to stop.
rest() {
  sleep "$1" &
  REST=$!
  [ "$STOPS" -eq 0 ] || kill -KILL "$REST"
  await "$REST"
  REST=''
}

# What signals do: the first one ends what only waits, and gives a running action some time; the next one ends that, too.
# By KILL, as what has only just been started may not heed another signal yet.
stop() {
  STOPS=$((STOPS + 1))
  echo "$STOPS" > "$DIR/stops"
  [ -z "$CLAIM$REST" ] || kill -KILL $CLAIM $REST
  [ -z "$ACTION" ] || log "stopping; the running action has $STOP_SECONDS s"
} 2> /dev/null

# COMMAND...: starts it in the background, in a process group of its own, so that it can be ended with all that it started.
apart() {
  set -m
  "$@" &
  set +m
}

# NAME: runs the action, and writes down its exit code.
act() {
  ("action_$1")
  echo "$?" > "$DIR/code"
}

# Ends the action with all that it started.
end_action() {
  kill -TERM -- "-$ACTION" && sleep 2 && kill -KILL -- "-$ACTION"
} 2> /dev/null

read_key() {
  KEY="${API_KEY:-${INTENT_API_KEY:-}}"
  # Actions and what they start need not know it.
  unset INTENT_API_KEY
  if [ -z "$KEY" ]; then
    [ -r "$KEY_FILE" ] || die "No key. Set INTENT_API_KEY, or put the key into $KEY_FILE; the interface has them under Keys.
On a machine that is paired with the bus, run this first: eval \"\$(intent-bus buses env)\""
    case "$(ls -lLd -- "$KEY_FILE")" in
      ????------*) ;;
      *) log "Others may read $KEY_FILE. Run: chmod 600 $KEY_FILE" >&2 ;;
    esac
    KEY="$(tr -d '\r\n' < "$KEY_FILE")"
  fi
  case "$KEY" in
    '' | *[![:print:]]*) die 'The key is empty, or has characters that no key has.' ;;
  esac
}

# The text in double quotes, as curl reads it.
quoted() {
  printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"
}

# How curl knows the bus. The pin alone says who it is; what the certificate says does not count then.
trust() {
  local pin="${PIN:-${INTENT_BUS_PIN:-}}" ca="${CA_FILE:-${INTENT_BUS_CA:-}}"
  if [ -n "$pin" ]; then
    printf 'pinnedpubkey = %s\ninsecure\n' "$(quoted "$pin")"
  elif [ -n "$ca" ]; then
    printf 'cacert = %s\n' "$(quoted "$ca")"
  fi
}

# Percent-encodes all but A-Za-z0-9-._~, as signatures have it; jq 1.6 leaves five more as they are.
encoded() {
  printf '%s' "$1" | jq -sRr @uri | sed "s/!/%21/g; s/'/%27/g; s/(/%28/g; s/)/%29/g; s/[*]/%2A/g"
}

# The HMAC-SHA256 of standard input with the key, in hex. Made of hashes (RFC 2104): openssl takes a key only as an argument.
hmac() {
  local hex inner='' outer='' byte i
  hex="$(printf '%s' "$KEY" | od -An -v -tx1 | tr -d ' \n')"
  [ ${#KEY} -le 64 ] || hex="$(printf '%s' "$KEY" | openssl dgst -sha256 -r | cut -c 1-64)"
  for ((i = 0; i < 128; i += 2)); do
    byte="${hex:i:2}"
    printf -v byte '\\x%02x\\x%02x' $((0x${byte:-0} ^ 0x36)) $((0x${byte:-0} ^ 0x5c))
    inner+="${byte:0:4}" outer+="${byte:4}"
  done
  { printf '%b' "$outer"; { printf '%b' "$inner"; cat; } | openssl dgst -sha256 -binary; } |
    openssl dgst -sha256 -r | cut -c 1-64
}

# PATH [BODY] [SECONDS]: sends a POST. Sets STATUS, 000 without an answer, ANSWER and RETRY_AFTER.
# All goes to curl by its standard input: a key on a command line is there for every user to see.
# Line by line: between two substitutions of one command bash 5.2 loses signals.
request() {
  local path="$1" body="${2-}" file="$DIR/${ROLE:-worker}" config now nonce
  config="$TRUST
header = \"Content-Type: application/json\"
header = \"Expect:\""
  config+="
url = $(quoted "${BUS_URL%/}$path")"
  config+="
header = $(quoted "X-API-KEY: $KEY")"
  config+="
header = $(quoted "X-Worker-ID: $WORKER_ID")"
  config+="
data-raw = $(quoted "$body")"
  if [ "$SIGN" = yes ]; then
    now="$(date +%s)"
    nonce="$(openssl rand -hex 16)"
    config+="
header = \"X-Timestamp: $now\"
header = \"X-Nonce: $nonce\"
header = \"X-Signature: $({ printf '%s\n' POST "$path" "$now" "$nonce"; printf '%s' "$body"; } | hmac)\""
  fi
  rm -f "$file".*
  # In the background: bash hears a signal while it waits, but not before a command in front has ended.
  curl -q --silent --noproxy '*' --globoff --connect-timeout "$PATIENCE" --max-time "${3:-$PATIENCE}" --config - \
    --dump-header "$file.head" --output "$file.body" --write-out '%{http_code}' > "$file.status" <<< "$config" &
  [ -z "${3-}" ] || CLAIM=$!
  [ -z "$CLAIM" ] || [ "$STOPS" -eq 0 ] || kill -KILL "$CLAIM"
  await $!
  CLAIM=''
  STATUS="$(cat "$file.status")"
  STATUS="${STATUS:-000}"
  ANSWER="$(cat "$file.body" 2> /dev/null)"
  RETRY_AFTER="$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9][0-9]*\).*/\1/p' "$file.head" 2> /dev/null | tail -n 1)"
}

# Whether the same request may be answered otherwise in a while.
is_trouble() {
  case "$STATUS" in
    000 | 408 | 429 | 5??) return 0 ;;
    *) return 1 ;;
  esac
}

# What the bus said, in its own words.
refusal() {
  local message
  [ "$STATUS" != 000 ] || { printf 'no answer'; return; }
  message="$(jq -r '.error.message' <<< "$ANSWER" 2> /dev/null | tr -d '[:cntrl:]')"
  printf '%s' "${message:-it answered $STATUS}"
}

# ID TOKEN SECONDS: looks after the action, once a second. Extends the lease when a third of it is over, and ends the action
# when the lease is lost, when its time to stop is up, and when the worker is gone.
keep_lease() {
  local ROLE=keeper length=$3 ends=$((SECONDS + $3)) due until='' stops
  [ "$length" -le "$MAX_EXTENSION" ] || length=$MAX_EXTENSION
  due=$((SECONDS + length / 3))
  # The shortest extension is longer than such a lease.
  [ "$length" -ge "$MIN_EXTENSION" ] || length=$MIN_EXTENSION due=$SECONDS
  while kill -0 $$ && [ "$SECONDS" -lt "$ends" ]; do
    if read -r stops < "$DIR/stops"; then
      until="${until:-$((SECONDS + STOP_SECONDS))}"
      [ "$stops" -eq 1 ] && [ "$SECONDS" -lt "$until" ] || end_action
    fi
    if [ "$SECONDS" -ge "$due" ]; then
      due=$SECONDS
      request "/extend_claim/$1" "{\"claim_token\":\"$2\",\"seconds\":$length}"
      if [ "$STATUS" = 200 ]; then
        ends=$((due + length)) due=$((due + length / 3))
      elif is_trouble; then
        due=$((due + ${RETRY_AFTER:-1}))
      else
        break
      fi
    fi
    sleep 1
  done
  : > "$DIR/lost"
  end_action
} 2> /dev/null

# PATH BODY: sends it until there is an answer, or the lease is lost, or nobody wants to wait any longer.
settle() {
  STATUS=000
  while [ ! -e "$DIR/lost" ]; do
    request "$1" "$2"
    is_trouble && [ "$STOPS" -eq 0 ] || return
    rest "${RETRY_AFTER:-1}"
  done
}

# ID TOKEN REASON: fails the intent; the reason is JSON text.
fail() {
  settle "/fail/$1" "{\"claim_token\":\"$2\",\"error\":$3}"
  if [ "$STATUS" = 200 ]; then log "failed $1: $3"; else log "not failed $1: $(refusal)"; fi
}

# ID TOKEN FILE: fulfils the intent with the result that is in the file.
fulfil() {
  settle "/fulfill/$1" "{\"claim_token\":\"$2\",\"result\":$(cat "$3")}"
  case "$STATUS" in
    200) log "fulfilled $1" ;;
    400 | 413) fail "$1" "$2" "$(jq -c .error.message <<< "$ANSWER")" ;;
    404) log "not fulfilled $1: the lease is lost"; return ;;
    *) log "not fulfilled $1: $(refusal)"; return ;;
  esac
  rm -f "$STATE_DIR/$1"
}

# ID TOKEN SECONDS ACTION: runs the action under a lease that is kept, and settles the intent.
work() {
  local code reason
  apart act "$4" < "$DIR/payload" > "$DIR/result" 2> "$DIR/reason"
  ACTION=$!
  apart keep_lease "$1" "$2" "$3"
  KEEPER=$!
  await "$ACTION"
  ACTION=''
  # One that was ended wrote none.
  { read -r code < "$DIR/code"; } 2> /dev/null || code=143
  if [ -e "$DIR/lost" ]; then
    log "the lease of $1 is lost; its action was ended"
  elif [ "$code" -eq 0 ]; then
    # JSON as it is, anything else as a text.
    jq -cs 'if length == 1 then .[0] else error end' "$DIR/result" > "$DIR/json" 2> /dev/null || jq -Rs . "$DIR/result" > "$DIR/json"
    # The bus may well take what cannot be kept.
    { cp "$DIR/json" "$STATE_DIR/$1.new" && mv "$STATE_DIR/$1.new" "$STATE_DIR/$1"; } ||
      log "what $1 came to cannot be kept, and is done again if the bus does not hear of it now"
    fulfil "$1" "$2" "$DIR/json"
  else
    reason="$(tail -c 500 "$DIR/reason" | jq -Rs 'rtrimstr("\n")')"
    [ "$reason" != '""' ] || reason="\"The action ended with code $code.\""
    [ "$code" -le 128 ] || [ "$STOPS" -eq 0 ] || reason='"The worker was stopped."'
    fail "$1" "$2" "$reason"
  fi
  end_keeper
}

end_keeper() {
  [ -n "$KEEPER" ] || return
  kill -KILL -- "-$KEEPER"
  await "$KEEPER"
  KEEPER=''
} 2> /dev/null

# Takes the claimed intent in ANSWER.
take() {
  local id token seconds action reason="Unknown action. This worker knows: $ACTIONS."
  rm -f "$DIR/lost" "$DIR/code"
  jq -c .payload <<< "$ANSWER" > "$DIR/payload" 2> /dev/null
  read -r id token seconds action < <(jq -r --arg actions "$ACTIONS" --arg default "$DEFAULT_ACTION" '
    (.payload | if type == "object" and has("action") then .action else $default end) as $wanted |
    "\(.id) \(.claim_token) \(.claim_timeout) \(if any($actions | split(" ")[]; . == $wanted) then $wanted else "" end)"
  ' <<< "$ANSWER" 2> /dev/null)
  if [ -z "$id" ]; then
    reason='jq cannot read this payload.'
    # The payload stands between id and token; what looks like a token in there is not the last.
    id="${ANSWER#'{"id":"'}" token="${ANSWER##*'"claim_token":"'}"
    id="${id%%\"*}" token="${token%%\"*}" seconds=$MIN_EXTENSION
  fi
  case "$id/$token/$seconds" in
    *[!0-9A-Za-z/]* | /* | *//* | */) die 'What answers there is no Intent Bus.' ;;
  esac
  if [ -e "$STATE_DIR/$id" ]; then
    log "claimed $id again: what it came to is known"
    fulfil "$id" "$token" "$STATE_DIR/$id"
  elif [ -n "$action" ]; then
    log "claimed $id: $action"
    work "$id" "$token" "$seconds" "$action"
  else
    fail "$id" "$token" "\"$reason\""
  fi
}

for program in curl jq $([ "$SIGN" = yes ] && echo openssl); do
  command -v "$program" > /dev/null || die "This worker needs $program."
done
read_key
TRUST="$(trust)"
DIR="$(mktemp -d)"
trap 'end_keeper; [ -z "$ACTION" ] || kill -KILL -- "-$ACTION"; rm -rf "$DIR"' EXIT
trap stop INT TERM HUP
mkdir -p -m 700 "$STATE_DIR" || die 'Results cannot be kept. STATE_DIR must be a folder that you may write to.'
# The bus has forgotten these intents.
find "$STATE_DIR" -type f -mtime +8 -exec rm -f {} +

QUERY="/claim?goal=$(encoded "$GOAL")"
QUERY+="&namespace=$(encoded "$NAMESPACE")&wait=$WAIT"
log "asking $BUS_URL for $GOAL"
failures=0
while [ "$STOPS" -eq 0 ]; do
  asked=$SECONDS
  request "$QUERY" '' $((WAIT + PATIENCE))
  if [ "$STATUS" = 200 ]; then
    failures=0
    take
  elif [ "$STATUS" = 204 ]; then
    failures=0
    # Answered at once, the bus does not know of waiting, or cannot now: then rest here.
    [ $((SECONDS - asked)) -ge "$POLL" ] || rest $((${RETRY_AFTER:-0} > POLL ? RETRY_AFTER : POLL))
  elif [ "$STOPS" -gt 0 ]; then
    break
  elif is_trouble; then
    failures=$((failures < 5 ? failures + 1 : 5))
    log "$BUS_URL: $(refusal)"
    rest "${RETRY_AFTER:-$((2 ** failures - 1))}"
  elif [ "$STATUS" = 401 ]; then
    die 'The bus does not know this key. Take the right one from the interface, under Keys.'
  else
    die "The bus refused the claim: $(refusal)"
  fi
done
log stopped
