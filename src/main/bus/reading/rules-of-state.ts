import type { Check } from '../../../shared/control/intent-views.ts'
import { STATUS } from '../intents/intent.ts'
import { fails, holds, waits, type Case } from './explain-case.ts'
import { ago, code, duration, until } from './words.ts'
import { keyName } from './workforce.ts'

/** Whether workers get anything from the bus at all. */
export function busRule({ context: { isPaused, isMaintenance, listenerProblem } }: Case): Check {
  if (isMaintenance) {
    return fails('bus', 'The bus is in maintenance and refuses what workers ask.', 'Turn maintenance off under Settings.')
  }
  if (isPaused) return fails('bus', 'The bus is paused: workers get nothing.', 'Resume the bus.')
  if (listenerProblem !== null) {
    const cure = 'Free the port, or choose another one under Settings.'
    return fails('bus', `Workers cannot reach the bus: ${listenerProblem}`, cure)
  }
  return holds('bus', 'The bus is running and gives out intents.')
}

/** Only open intents can be claimed. */
export function statusRule({ row, now, keyOwners }: Case): Check {
  switch (row.status) {
    case STATUS.claimed: {
      const holder = row.worker === null ? `a worker at ${code(row.claim_address!)}` : code(row.worker)
      const key = keyName(row.claimed_by!, keyOwners.get(row.claimed_by!))
      const end = row.claim_expires_at!
      return waits('status', `It is claimed by ${holder} with ${key}; the lease ends ${until(end, now)}.`, end)
    }
    case STATUS.fulfilled:
      return fails('status', `It was fulfilled ${ago(row.finished_at!, now)}.`, 'Duplicate it to have it done once more.')
    case STATUS.dead: {
      const text = `It died ${ago(row.finished_at!, now)}: ${sentence(row.last_error!)}`
      return fails('status', text, 'Retry it once the cause is mended.')
    }
    case STATUS.expired: {
      const text = `Its lifetime ended ${ago(row.finished_at!, now)} before anybody claimed it.`
      return fails('status', text, 'Publish it again: that gives it a fresh lifetime.')
    }
    default:
      return holds('status', `It is open; attempt ${row.claim_attempts + 1} of ${row.max_attempts} comes next.`)
  }
}

/** Delay and backoff. */
export function runAtRule({ row, now }: Case): Check {
  if (row.run_at <= now) return holds('run_at', `It has been due for ${duration(now - row.run_at)}.`)
  const isBackoff = row.claim_attempts > 0
  const why = isBackoff ? 'It waits out the pause after a failed attempt' : 'It was published with a delay'
  return waits('run_at', `${why} and can be claimed ${until(row.run_at, now)}.`, row.run_at)
}

/** What is not claimed within its lifetime leaves the queue (SPEC 4.2). */
export function lifetimeRule({ row, now }: Case): Check {
  if (row.expires_at <= now) {
    return fails('lifetime', `Its lifetime ended ${ago(row.expires_at, now)}.`, 'Retry it: that gives it a fresh lifetime.')
  }
  if (row.run_at >= row.expires_at) {
    const text = `Its lifetime ends ${until(row.expires_at, now)}, before it can be claimed.`
    return fails('lifetime', text, 'Retry it: it can then be claimed at once, with a fresh lifetime.')
  }
  return holds('lifetime', `Its lifetime ends ${until(row.expires_at, now)}.`)
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
