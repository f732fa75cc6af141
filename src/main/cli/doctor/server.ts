import { SERVER_API_VERSION, SIGNATURE_WINDOW } from '../../../shared/limits.ts'
import type { Located } from '../context.ts'
import { isLoopbackUrl } from '../bus/local-bus.ts'
import { reasonOf } from '../bus/operator.ts'
import { EXIT } from '../exit.ts'
import { fine, skipped, trouble, warning, type Check } from './check.ts'

const PATIENCE_MS = 5_000
/** Seconds that a clock may be off before one should know. */
const NOTABLE = 10

const SOURCES = {
  '--bus': 'as --bus says',
  '--url': 'as --url says',
  INTENT_BUS_URL: 'as INTENT_BUS_URL says',
  'running.json': 'where the bus of this machine says it runs',
  paired: 'the only bus that this machine is paired with',
  default: 'where a bus is when nothing else is said'
} as const

/** What to do about a paired bus that is nowhere. */
const LOST =
  'It is at none of the addresses that are known, nor does it announce another: see whether that machine is on, and the bus shared there, under Network. Name a new address once, as in `intent-bus doctor --url https://192.168.1.20:7611`: the bus is known there by its pin.'

/** What the server says of itself without a key. */
interface Health {
  readonly ok?: unknown
  readonly ts?: unknown
  readonly version?: unknown
  readonly app?: { readonly name?: unknown; readonly version?: unknown }
  readonly error?: { readonly code?: string; readonly message?: string }
}

/** What was found of a server, and whom it answers: nobody who asks for a bus, operators only, or all. */
export interface ServerChecks {
  readonly checks: readonly Check[]
  readonly answers: 'nobody' | 'operators' | 'all'
}

/** Whether something answers, whether it is a bus, and whether its clock is that of this machine. `carry`: what carries requests. */
export async function checkServer(address: Located, carry: typeof fetch, signal: AbortSignal): Promise<ServerChecks> {
  const { url, from } = address
  const startedAt = Date.now()
  let response: Response
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
    response = await carry(`${url}/health`, { redirect: 'manual', signal: patience })
  } catch (error) {
    signal.throwIfAborted()
    return { checks: [unreachable(address, reasonOf(error))], answers: 'nobody' }
  }
  const health = ((await response.json().catch(() => null)) ?? {}) as Health
  const reached = fine('reachable', `${url} answers, ${SOURCES[from]}.`)
  if (health.error?.code === 'maintenance') {
    const check = warning('server', 'The bus is in maintenance: it answers operators only.', 'Settings of the app end that.')
    return { checks: [reached, check], answers: 'operators' }
  }
  const isBus = response.status === 200 && health.ok === true && typeof health.version === 'string'
  if (!isBus) return { checks: [reached, stranger(url, response.status, health)], answers: 'nobody' }
  return { checks: [reached, checkVersion(health), checkClock(health.ts, (startedAt + Date.now()) / 2_000)], answers: 'all' }
}

function unreachable({ url, from, isFollowed }: Located, reason: string): Check {
  const { hostname } = new URL(url)
  const cures: Readonly<Record<string, string>> = {
    ENOTFOUND: `No machine is known by the name ${hostname}: see how it is spelt, or use its address.`,
    EAI_AGAIN: `The name ${hostname} cannot be looked up now: see whether the network is there, or use the machine's address.`,
    'bad port': 'No client that keeps to the rules of the web asks this port: move the bus to another one.',
    ECONNREFUSED: isLoopbackUrl(url)
      ? 'Start the app, or `npm run headless`; where it runs on another port, say so with --url.'
      : 'See whether the bus runs there, and whether it listens on the network (BUS_HOST).'
  }
  const isAboutCertificate = /CERT|SIGNATURE|TLS|SSL/.test(reason)
  const unknown = isAboutCertificate
    ? 'The certificate is none that this machine trusts: pair with the bus, or name its pin with --pin, or its root with --ca.'
    : 'See whether that machine is on, and whether a firewall is in between.'
  const cure = isFollowed ? LOST : (cures[reason] ?? unknown)
  return trouble('reachable', EXIT.unreachable, `${url} does not answer (${reason}), ${SOURCES[from]}.`, cure)
}

/** What answers, but not as a bus that knows where it is. */
function stranger(url: string, status: number, { error }: Health): Check {
  if (error?.code === 'invalid_host') {
    const cure = `Add ${new URL(url).hostname} to BUS_ALLOWED_HOSTS where the bus runs.`
    return trouble('server', EXIT.refused, `The bus does not know itself by this name. ${error.message ?? ''}`.trim(), cure)
  }
  const cure = 'See which program has this port, and where the bus is: `intent-bus doctor --url ...`.'
  return trouble('server', EXIT.unreachable, `What answers is no Intent Bus (HTTP ${status}).`, cure)
}

function checkVersion({ version, app }: Health): Check {
  const name = typeof app?.name === 'string' ? `${app.name} ${String(app.version ?? '')}`.trim() : 'An Intent Bus'
  if (version === SERVER_API_VERSION) return fine('server', `${name}, server API ${version}.`)
  const text = `${name}, server API ${String(version)}; this program was made for ${SERVER_API_VERSION}.`
  return warning('server', text, 'What misbehaves may be the difference; update the older one.')
}

/** Signatures carry the time: SPEC 5.2 lets it be off by 300 seconds. */
function checkClock(ts: unknown, now: number): Check {
  if (typeof ts !== 'number') return skipped('clock', 'The server does not tell its time.')
  const off = now - ts
  const text = `This machine's clock is ${Math.abs(off).toFixed(1)} seconds ${off > 0 ? 'ahead of' : 'behind'} that of the bus.`
  const cure = 'Set the clock of this machine or of the other: `timedatectl set-ntp true`, or the settings of the system.'
  if (Math.abs(off) > SIGNATURE_WINDOW) {
    return trouble('clock', EXIT.refused, `${text} Signatures may be off by ${SIGNATURE_WINDOW}.`, cure)
  }
  return Math.abs(off) > NOTABLE ? warning('clock', text, cure) : fine('clock', text)
}
