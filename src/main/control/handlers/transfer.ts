import type { AuditEvent } from '../../../shared/control/network-views.ts'
import type { Settings } from '../../../shared/control/settings.ts'
import type { Outcome, TransferCounts } from '../../../shared/control/transfer-views.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import { SECRET_PATTERN } from '../../../shared/limits.ts'
import { totalOfCounts } from '../../bus/transfer/format.ts'
import { openSecrets, type Secrets } from '../../bus/transfer/sealing.ts'
import type { Secret } from '../../secrets.ts'
import { portableSettings, readPortable } from '../../transfer/portable-settings.ts'
import { actorOf, FieldError, type Handlers, type Operator } from '../control.ts'
import type { ControlDependencies } from '../dependencies.ts'
import { confirm } from './access.ts'

type ChangeSettings = (change: Partial<Settings>, operator: Operator) => Promise<unknown>

/** Moving to another machine: a file of everything, and what becomes of such a file here. */
export function transferHandlers(deps: ControlDependencies, changeSettings: ChangeSettings) {
  const { bus, exports, feed, imports, mainKey, password, settings } = deps

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
    try {
      await changeSettings(given, operator)
      return [`Settings were taken over: ${Object.keys(given).join(', ')}.${rest}`]
    } catch (error) {
      if (error instanceof ProtocolError) return [`The settings were not taken over: ${error.message}`]
      throw error
    }
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
      return imports.start(id, {
        digests: new Map(secrets?.keys),
        conclude: async (outcomes) => {
          const notes = isWithSettings && values !== null ? await takeSettings(values, operator) : []
          if (isTakeOver) {
            // Whoever came with the old password could not ask afterwards.
            await imports.untilAwaited()
            notes.push(...(await takeOver(secrets!, operator)))
          }
          for (const what of ['templates', 'views', 'keys', 'workers'] as const) feed.noteChanged(what)
          note(operator, 'data.imported', imports.view!.name, outcomesText(outcomes))
          return notes
        }
      })
    },

    'transfer.drop': ({ id }) => {
      imports.drop(id)
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

function countsText(counts: TransferCounts): string {
  const intents = totalOfCounts({ ...counts, keys: 0, templates: 0, savedViews: 0, keyValues: 0 })
  return `${intents} intents, ${counts.keys} keys, ${counts.templates} templates`
}

function outcomesText(outcomes: readonly Outcome[]): string {
  return outcomes.map(outcomeText).join('; ')
}

function outcomeText({ what, added, named, completed, present, skipped }: Outcome): string {
  const ofKeys = what === 'keys' ? `, ${named} by name only, ${completed} completed` : ''
  return `${what}: ${added} added${ofKeys}, ${present} there, ${skipped} skipped`
}
