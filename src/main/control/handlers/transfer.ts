import type { AuditEvent } from '../../../shared/control/network-views.ts'
import type { Settings } from '../../../shared/control/settings.ts'
import type { ImportPreview } from '../../../shared/control/transfer-views.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import { SECRET_PATTERN } from '../../../shared/limits.ts'
import { countsText, outcomesText } from '../../../shared/transfer-words.ts'
import { openSecrets, type Secrets } from '../../bus/transfer/sealing.ts'
import type { Secret } from '../../secrets.ts'
import type { ImportEnd } from '../../transfer/imports.ts'
import { portableSettings, readPortable } from '../../transfer/portable-settings.ts'
import { actorOf, FieldError, type Handlers, type Operator } from '../control.ts'
import type { ControlDependencies } from '../dependencies.ts'
import { confirm } from './access.ts'

type ChangeSettings = (change: Partial<Settings>, operator: Operator) => Promise<unknown>

/** Moving to another machine: a file of everything, and what becomes of such a file here. */
export function transferHandlers(deps: ControlDependencies, changeSettings: ChangeSettings) {
  const { bus, exports, feed, imports, mainKey, password, settings } = deps
  /** Who stopped an import that has not ended yet, by its id. */
  const stoppers = new Map<string, Operator>()

  function note(operator: Operator, event: AuditEvent, subject: string, detail: string): void {
    bus.audit.note({ event, actor: actorOf(operator), address: operator.address, subject, detail })
  }

  async function revealAll(): Promise<Omit<Secrets, 'keys'>> {
    return { mainKey: (await mainKey.reveal()) ?? null, password: (await password.reveal()) ?? null }
  }

  /** Main key and password of the old bus take the place of this bus's own; the answer says how that went. */
  async function takeOver(secrets: Secrets, operator: Operator): Promise<string[]> {
    const key = await replace(mainKey, 'main key', secrets.mainKey)
    if (key.isReplaced) {
      bus.keys.setMain(mainKey.digest)
      bus.endWaits()
      note(operator, 'key.rotated', 'main', 'from an import')
    }
    const word = await replace(password, 'password', secrets.password)
    if (word.isReplaced) {
      await bus.sessions.endAll(operator.via === 'browser' ? operator.sessionId : undefined)
      note(operator, 'password.changed', '', 'from an import')
    }
    feed.noteChanged('keys')
    feed.noteStatus()
    return [key.sentence, word.sentence]
  }

  async function takeSettings(values: Readonly<Record<string, unknown>>, operator: Operator): Promise<string[]> {
    const { settings: given, skipped } = readPortable(values)
    const left = skipped.map(({ example }) => example)
    const rest = left.length === 0 ? '' : ` Not taken over: ${left.join(', ')}.`
    if (Object.keys(given).length === 0) return [`The settings are as they were here: the file has none that mean something here.${rest}`]
    try {
      await changeSettings(given, operator)
      return [`Settings were taken over: ${Object.keys(given).join(', ')}.${rest}`]
    } catch (error) {
      if (error instanceof ProtocolError) return [`The settings were not taken over: ${error.message}`]
      throw error
    }
  }

  /** The trail says of every import that began how it ended, and what it added; of one without an end the bus was killed. */
  function noteEnd(id: string, name: string, operator: Operator, { state, problem, outcomes }: ImportEnd): void {
    const added = outcomesText(outcomes)
    if (state === 'done') note(operator, 'data.imported', name, added)
    if (state === 'failed') note(operator, 'import.failed', name, `${added}. ${problem}`)
    if (state === 'stopped') note(stoppers.get(id) ?? operator, 'import.stopped', name, added)
    stoppers.delete(id)
  }

  return {
    'transfer.export': async ({ passphrase, password: given }, operator) => {
      if (passphrase !== null) await confirm(operator, given)
      await bus.notesWritten()
      const secrets = passphrase === null ? {} : { secrets: { clear: await revealAll(), passphrase } }
      const view = await exports.begin({ settings: portableSettings(settings.values), ...secrets })
      note(operator, 'data.exported', passphrase === null ? 'without secrets' : 'with secrets', countsText(view.counts))
      return view
    },

    'transfer.read': ({ id, part }) => exports.read(id, part),

    'transfer.get': () => ({ import: imports.view }),

    'transfer.wait': ({ id, state }, _operator, gone) => imports.wait(id, state, gone),

    'transfer.upload': ({ data, ...piece }) => imports.upload({ ...piece, bytes: Buffer.from(data, 'base64') }),

    'transfer.check': ({ id }) => imports.check(id),

    'transfer.start': async ({ id, passphrase, takeSettings: isWithSettings, takeOver: isTakeOver, password: given }, operator) => {
      const { sealed, settings: values } = imports.checkedFile(id)
      if (isTakeOver) await confirm(operator, given)
      const secrets = passphrase === null ? undefined : await open(sealed, passphrase)
      if (isTakeOver && secrets === undefined) throw badPassphrase('Give the passphrase of the export: main key and password are encrypted by it.')
      const view = imports.start(id, {
        digests: new Map(secrets?.keys),
        conclude: async (stopped) => {
          stopped.throwIfAborted()
          const notes = isWithSettings && values !== null ? await takeSettings(values, operator) : []
          if (isTakeOver) {
            // Whoever came with the old password could not ask afterwards.
            await imports.untilAwaited(stopped)
            notes.push(...(await takeOver(secrets!, operator)))
          }
          for (const what of ['templates', 'views', 'keys', 'workers'] as const) feed.noteChanged(what)
          return notes
        },
        onEnd: (end) => noteEnd(id, view.name, operator, end)
      })
      note(operator, 'import.started', view.name, startText(view.preview!, secrets !== undefined))
      return view
    },

    'transfer.drop': async ({ id }, operator) => {
      if (imports.view?.id === id && imports.view.state === 'importing') stoppers.set(id, operator)
      await imports.drop(id)
      return null
    }
  } satisfies Partial<Handlers>
}

async function open(sealed: Parameters<typeof openSecrets>[0], passphrase: string): Promise<Secrets> {
  if (sealed.length === 0) throw badPassphrase('There are no secrets in this file: import it without a passphrase.')
  try {
    return await openSecrets(sealed, passphrase)
  } catch (error) {
    throw error instanceof ProtocolError ? new FieldError('passphrase', error) : error
  }
}

function badPassphrase(message: string): FieldError {
  return new FieldError('passphrase', new ProtocolError('invalid_request', message))
}

async function replace(secret: Secret, what: string, next: string | null): Promise<{ isReplaced: boolean; sentence: string }> {
  const stays = (why: string) => ({ isReplaced: false, sentence: `The ${what} stays as it was here: ${why}.` })
  if (next === null) return stays('the old bus could not read its own')
  if (!SECRET_PATTERN.test(next)) return stays('the one in the file is none')
  if (secret.decidedBy !== undefined) return stays(`${secret.decidedBy} decides it`)
  try {
    await secret.replace(next)
  } catch (error) {
    if (error instanceof ProtocolError) return stays(error.message.replace(/\.$/, ''))
    throw error
  }
  return { isReplaced: true, sentence: `The ${what} of the old bus is the ${what} here from now on.` }
}

/** `2,000 intents and 1 key; its keys count as soon as they are added`. */
function startText({ counts, origin }: ImportPreview, hasSecrets: boolean): string {
  if (counts.keys === 0) return countsText(counts)
  const isLettingIn = hasSecrets || origin === 'reference'
  return `${countsText(counts)}; ${isLettingIn ? 'its keys count as soon as they are added' : 'its keys come by name only'}`
}
