import { isIPv6 } from 'node:net'
import { hostname } from 'node:os'
import { pairedBusesFile } from '../../client/index.ts'
import { limitsText } from '../../../shared/control/limits-text.ts'
import { readCode, readDeviceName, type PairingAllowed } from '../../../shared/pairing.ts'
import type { Role } from '../../../shared/scope.ts'
import { isLoopbackUrl } from '../bus/local-bus.ts'
import { certificateFile, checkName, nameFrom, type NamedBus, type Paired } from '../bus/paired.ts'
import { givenTrust } from '../bus/trust.ts'
import type { Context } from '../context.ts'
import type { Action } from '../command.ts'
import { EXIT, UsageError } from '../exit.ts'
import { askKnown, askUnknown, decisionOf, type Credentials, type Pending } from '../pairing/asking.ts'
import { askFor } from '../terminal/ask-for.ts'
import { cleanLine } from '../terminal/clean.ts'
import { exactTime, nowInSeconds } from '../terminal/time.ts'

/** Where a bus is shared that was not told to use another port. */
const SHARED_PORT = 7611

export const pair: Action = {
  name: 'pair',
  summary: 'let this machine into a bus on the network, with a key of its own',
  usage: '<address>',
  arity: { min: 1, max: 1 },
  asksNoBus: true,
  options: [
    { name: 'code', value: 'code', summary: 'the code that the bus shows; asked for where it is left out' },
    { name: 'name', value: 'name', summary: "what this machine calls itself (its own name)" },
    { name: 'save-as', value: 'name', summary: 'what the bus is called here (what it calls itself)' }
  ],
  details: `
    Let the bus show a code: Network, Pair a device. Then somebody has to allow this machine there.

    With --pin or --ca the bus is known by that, and no other is told the code. Without, both sides prove to each other that
    they know the code, so that nobody in between learns it or is taken for the bus.

    What the bus gives lies in ~/.intent-bus/buses.json, which only this user can read: its address, its pin, its root
    certificate, and a key. The key is sent to this bus only. \`intent-bus buses list\` shows what this machine is paired with,
    \`intent-bus buses forget\` ends that here, and \`intent-bus buses env\` hands a bus to other programs.`,
  examples: ['intent-bus pair 192.168.1.20 --code K7QF-92MX', 'intent-bus pair https://home.local:7611 --save-as home'],

  async run(context) {
    const { args, output, paired, signals, stdin } = context
    const url = sharedUrl(args.positionals[0]!)
    const saveAs = args.text('save-as')
    if (saveAs !== undefined) checkFree(paired, saveAs, url)
    const name = readDeviceName(args.text('name') ?? hostname())
    if (name === undefined) throw new UsageError('The name of this machine must have 1 to 64 printable characters.')
    const text = args.text('code') ?? (await askFor('The code that the bus shows:', 'Name it with --code.', stdin, signals.signal))
    const code = readCode(text)
    if (code === undefined) throw new UsageError(`"${text}" is not a code: that is like K7QF-92MX.`)

    const pending = await ask(context, url, { code, name })
    output.note(`Now allow "${name}" on the bus: its interface asks whether to.`)
    const allowed = await decisionOf(pending, signals.signal)
    const { bus, replaced } = save(paired, url, allowed, saveAs)
    if (output.isJson) {
      const { name: as, url: at, pin, keyId, limits } = bus
      await output.json({ name: as, url: at, pin, keyId, limits, file: pairedBusesFile(), ca: certificateFile(as), replaced })
    } else {
      await output.line(cleanLine(`Paired with ${bus.name} at ${bus.url}.`))
      tell(context, bus, replaced)
    }
    return EXIT.done
  }
}

/** `192.168.1.20`, `home.local:7611` or a whole address. */
function sharedUrl(text: string): string {
  const isWhole = /^[a-z]+:\/\//i.test(text)
  const given = isWhole ? text : `https://${isIPv6(text) ? `[${text}]` : text}`
  const url = URL.canParse(given) ? new URL(given) : undefined
  const isHttp = url !== undefined && /^https?:$/.test(url.protocol)
  if (!isHttp || url.username + url.password + url.search + url.hash !== '') {
    const example = `that is like 192.168.1.20, or https://home.local:${SHARED_PORT}`
    throw new UsageError(`"${text}" is not the address of a bus: ${example}.`)
  }
  if (url.protocol === 'http:' && !isLoopbackUrl(url.href)) {
    throw new UsageError(`Pairing needs https: anybody on the way could read the key that ${url.origin} sends.`)
  }
  if (!isWhole && url.port === '') url.port = String(SHARED_PORT)
  return url.href.replace(/\/+$/, '')
}

/** Over plain HTTP it is this very machine, with nobody in between. */
function ask({ args, signals }: Context, url: string, credentials: Credentials): Promise<Pending> {
  const trust = givenTrust(args)
  const isPlain = url.startsWith('http:')
  if (isPlain && trust !== undefined) throw new UsageError(`--pin and --ca are for addresses with https, which ${url} is not.`)
  const isKnown = isPlain || trust !== undefined
  return isKnown ? askKnown(url, trust, credentials, signals.signal) : askUnknown(url, credentials, signals.signal)
}

/** A name that stands for another bus is not lost by a slip. Throws UsageError. */
function checkFree(paired: Paired, name: string, url: string): void {
  checkName(name)
  const there = paired.all.find((bus) => bus.name === name)
  if (there === undefined || paired.at(url)?.name === name) return
  const cure = `Choose another name, or run intent-bus buses forget ${name}.`
  throw new UsageError(`There is a bus called ${name} here already: ${there.url}.`, cure)
}

/** Under the name that was chosen, that of the same bus before, or one that no other bus has here. */
function save(paired: Paired, url: string, { bus, key, key_id: keyId, limits }: PairingAllowed, saveAs: string | undefined) {
  const before = paired.all.find(({ pin }) => pin === bus.pin) ?? paired.all.find((other) => other.url === url)
  const name = saveAs ?? before?.name ?? freeName(paired, nameFrom(bus.name))
  const replaced = paired.all.find((other) => other.name === name) ?? null
  const fresh: NamedBus = {
    name,
    // The address that this machine has reached it at, but for one that is good on the bus's own machine only.
    url: url.startsWith('https:') ? url : bus.url,
    // An address by which this machine knows another bus is not this one's, whatever it says.
    urls: bus.urls.filter((other) => isOwn(paired, other, bus.pin)),
    pin: bus.pin,
    ca: bus.ca,
    key,
    keyId,
    limits,
    pairedAt: nowInSeconds()
  }
  paired.save(fresh)
  return { bus: fresh, replaced: replaced && { url: replaced.url, keyId: replaced.keyId } }
}

function isOwn(paired: Paired, url: string, pin: string): boolean {
  const { origin } = new URL(url)
  return paired.all.every((other) => other.pin === pin || new URL(other.url).origin !== origin)
}

function freeName(paired: Paired, wanted: string): string {
  const names = new Set(paired.all.map(({ name }) => name))
  let name = wanted
  for (let n = 2; names.has(name); n++) name = `${wanted}-${n}`
  return name
}

function tell({ output, paired, local }: Context, bus: NamedBus, replaced: Pick<NamedBus, 'url' | 'keyId'> | null): void {
  if (replaced !== null) {
    const before = `${replaced.url}, with the key ${replaced.keyId}`
    output.note(`That replaces what was here as ${bus.name}: ${before}; revoke it there if nobody uses it.`)
  }
  output.note(`Its key is ${bus.keyId}, with ${limitsText(bus.limits, { time: exactTime })}. It lies in ${pairedBusesFile()}.`)
  const mayPublish = may('publish', bus)
  const mayClaim = may('claim', bus)
  if (mayClaim && mayPublish) output.note('It gets public intents, and those that it published itself.')
  else if (mayClaim) output.note('It gets public intents, and may not publish.')
  else if (mayPublish) output.note('It may publish, and gets no intents.')
  const option = paired.all.length > 1 || local.url !== undefined ? ` --bus ${bus.name}` : ''
  const first = mayClaim ? `, or intent-bus work <goal>${option} -- <program>` : mayPublish ? `, or intent-bus publish <goal>${option}` : ''
  output.note(`Next: intent-bus doctor${option}${first}`)
  const name = paired.all.length > 1 ? ` ${bus.name}` : ''
  output.note(`For other programs, as the worker starters: eval "$(intent-bus buses env${name})"`)
}

function may(role: Role, { limits }: NamedBus): boolean {
  return limits.scope?.roles?.includes(role) ?? true
}
