import { X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import type { InterfaceView, SharingCheck, SharingView } from '../../shared/control/network-views.ts'
import { SIGNATURE_WINDOW } from '../../shared/limits.ts'
import { rootTrouble } from './identity.ts'
import { utcDay, utcMinute } from './utc.ts'

/** Milliseconds after which an answer from this very machine is none. */
const PATIENCE_MS = 4_000
const DAY = 86_400
/** Days before the end of a certificate at which something must be wrong: a new one is signed long before. */
const LATE_DAYS = 7

export interface Checked {
  readonly view: SharingView
  readonly chosen: InterfaceView | null
  readonly addresses: readonly string[]
  readonly port: number
  /** Unix seconds. */
  readonly now: number
}

type Finding = Pick<SharingCheck, 'outcome' | 'text' | 'next'>

const fine = (text: string): Finding => ({ outcome: 'fine', text, next: null })
const warning = (text: string, next: string): Finding => ({ outcome: 'warning', text, next })
const trouble = (text: string, next: string): Finding => ({ outcome: 'trouble', text, next })

/** Tries the sharing of a bus from its own machine, as a client that trusts nothing but its root. */
export async function checkSharing(checked: Checked): Promise<readonly SharingCheck[]> {
  const { view, addresses, port } = checked
  const address = { name: 'address', ...checkAddress(checked) } as const
  const discovery = { name: 'discovery', ...checkDiscovery(view) } as const
  if (view.identity === null || addresses.length === 0) return [address, discovery]
  const { rootPem } = view.identity
  const answers = await Promise.all(addresses.map((host) => ask(host, port, rootPem)))
  return [
    address,
    { name: 'connection', ...checkConnection(answers, port) },
    { name: 'certificate', ...checkCertificate(checked, answers) },
    { name: 'answer', ...checkAnswer(answers) },
    { name: 'clock', ...checkClock(checked) },
    discovery
  ]
}

interface Answer {
  readonly host: string
  /** 0 for none. */
  readonly status: number
  readonly error: NodeJS.ErrnoException | null
}

function ask(host: string, port: number, ca: string): Promise<Answer> {
  return new Promise((resolve) => {
    const asked = request({ host, port, ca, path: '/health', agent: false, timeout: PATIENCE_MS }, (answer) => {
      answer.resume()
      answer.once('close', () => resolve({ host, status: answer.statusCode ?? 0, error: null }))
    })
    asked.once('timeout', () => asked.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })))
    asked.once('error', (error) => resolve({ host, status: 0, error }))
    asked.end()
  })
}

function checkAddress({ view, chosen, addresses }: Checked): Finding {
  if (view.state === 'off') return trouble('The bus is not shared.', 'Turn sharing on.')
  if (chosen === null || addresses.length === 0) return trouble(view.problem ?? 'The bus does not listen.', 'Join a network, or choose another one.')
  const where = `${addresses.join(', ')} (${chosen.name})`
  if (chosen.kind === 'virtual') return warning(`The bus is shared on ${where}, a network of virtual machines.`, 'Choose the network that the other devices are in.')
  if (chosen.kind === 'vpn') return warning(`The bus is shared on ${where}, a VPN.`, 'Devices must be in the same VPN; else choose another network.')
  const missing = chosen.addresses.filter((address) => !addresses.includes(address))
  if (missing.length > 0) return warning(`The bus does not listen on ${missing.join(', ')} yet.`, 'Look again in a moment.')
  return fine(`The bus is shared on ${where}.`)
}

function checkConnection(answers: readonly Answer[], port: number): Finding {
  const failed = answers.find(({ error }) => error !== null && !isAboutTrust(error))
  if (failed === undefined) return fine(`Port ${port} is open on this machine; a firewall may still keep others out.`)
  return trouble(
    `The bus does not reach itself at ${failed.host}, port ${port} (${failed.error!.code ?? failed.error!.message}).`,
    'Let incoming connections to this port pass in the firewall, and see whether a VPN takes all traffic.'
  )
}

function checkCertificate({ view, now }: Checked, answers: readonly Answer[]): Finding {
  const { certificateExpiresAt, rootExpiresAt } = view.identity!
  const ending = rootTrouble(rootExpiresAt, now)
  if (ending !== null) return (now < rootExpiresAt ? warning : trouble)(ending.text, ending.next)
  const distrusted = answers.find(({ error }) => error !== null && isAboutTrust(error))
  if (distrusted !== undefined) {
    return trouble(`The certificate is not good for ${distrusted.host} (${distrusted.error!.code}).`, 'Turn sharing off and on; if that does not help, replace the identity.')
  }
  if (certificateExpiresAt - now < LATE_DAYS * DAY) return trouble('The certificate is about to expire and was not renewed.', 'Look at the clock of this machine, then replace the identity.')
  return fine(`The certificate is good for all addresses, until ${utcDay(certificateExpiresAt)}.`)
}

function checkAnswer(answers: readonly Answer[]): Finding {
  const wrong = answers.find(({ error, status }) => error === null && status !== 200)
  if (wrong !== undefined) return trouble(`The bus answers ${wrong.status} at ${wrong.host}.`, 'See whether maintenance mode is on.')
  if (answers.every(({ error }) => error !== null)) return trouble('The bus could not be asked.', 'Mend the connection first.')
  return fine('The bus answers over HTTPS.')
}

function checkClock({ view, now }: Checked): Finding {
  const madeAt = new X509Certificate(view.identity!.rootPem).validFromDate.getTime() / 1000
  if (now < madeAt) return trouble(`The clock of this machine says ${utcDay(now)}, which is before the certificate was made.`, 'Have the system set its clock by the network.')
  return fine(`The clock of this machine says ${utcMinute(now)} UTC; devices that sign may be ${SIGNATURE_WINDOW} seconds off.`)
}

function checkDiscovery({ discovery, busName }: SharingView): Finding {
  if (discovery.state === 'announced') return fine(`The bus is announced as ${busName}.`)
  if (discovery.state === 'failed') return warning(discovery.problem!, 'Give devices the address; pairing needs no mDNS.')
  return fine('The bus is not announced; devices need its address.')
}

/** Refusals of the certificate itself, which come over a connection that works. */
function isAboutTrust({ code = '' }: NodeJS.ErrnoException): boolean {
  return /CERT|ALTNAME|SIGNATURE|ISSUER|SUBTREE|INVALID_CA|INVALID_PURPOSE/.test(code)
}
