import type { IntentStatus } from '../../client/index.ts'
import { intentId } from '../arguments/ids.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit.ts'
import { statusPaint } from '../intents/words.ts'
import { cleanLine } from '../terminal/clean.ts'
import type { Style } from '../terminal/style.ts'
import { exactTime, nowInSeconds, relativeTime } from '../terminal/time.ts'
import { padToWidth } from '../terminal/width.ts'

export const status: Action = {
  name: 'status',
  summary: 'tell how an intent is doing',
  usage: '<id>',
  arity: { min: 1, max: 1 },
  options: [],
  details: 'For whoever published it or works on it, and for the main key.',

  async run({ args, client, output, signals }) {
    const found = await client().getStatus(intentId(args.positionals[0]!), { signal: signals.signal })
    if (output.isJson) await output.json(found)
    else await output.line(statusLines(found, output.style).join('\n'))
    return EXIT.done
  }
}

function statusLines(intent: IntentStatus, style: Style): string[] {
  const { status } = intent
  const now = nowInSeconds()
  const time = (at: number | null): string | null => (at === null ? null : `${relativeTime(at, now)} (${exactTime(at)})`)
  const facts: readonly (readonly [name: string, value: string | null])[] = [
    ['status', status],
    ['id', intent.id],
    ['goal', intent.goal],
    ['namespace', intent.namespace],
    ['priority', String(intent.priority)],
    ['visibility', intent.visibility],
    ['attempts', String(intent.claimAttempts)],
    ['runs', status === 'open' ? time(intent.runAt) : null],
    ['lease ends', time(intent.claimExpiresAt)],
    ['target worker', intent.targetWorker],
    ['capability', intent.requiredCapability],
    ['fulfilled', time(intent.completedAt)],
    ['error', intent.error]
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  return facts.flatMap(([name, value]) => {
    if (value === null) return []
    const text = cleanLine(value)
    return [`${style.dim(padToWidth(name, width))}  ${name === 'status' ? statusPaint(status, style)(text) : text}`]
  })
}
