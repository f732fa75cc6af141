import { BACKOFF_JITTER } from '../../../shared/limits.ts'
import { briefDuration, fullDuration } from '../../lib/text/time.ts'
import { backoffs } from '../intents/detail/publication.ts'

const SHOWN = 5

/** When an intent is tried again after failures, in words (SPEC 3.3). `lifetime`: seconds that it may wait from its first run on. */
export function retriesText(maxAttempts: number, backoffBase: number, lifetime: number): string {
  const waits = backoffs({ maxAttempts, backoffBase })
  if (waits.length === 0) return 'It is tried once: a failure makes it a dead letter.'
  const shown = waits.slice(0, SHOWN).map(briefDuration)
  const list = waits.length > SHOWN ? `${shown.join(', ')} … ${fullDuration(waits.at(-1)!)}` : shown.join(', ')
  const text = `After a failure it waits ${list}, each time up to ${BACKOFF_JITTER} s longer; then it is a dead letter.`
  const total = waits.reduce((sum, wait) => sum + wait, 0)
  if (total < lifetime) return text
  return `${text} That is longer than it lives: it expires ${briefDuration(lifetime)} after its first run.`
}
